"""What is said to the user: codes, wording, places, and how they are printed."""
