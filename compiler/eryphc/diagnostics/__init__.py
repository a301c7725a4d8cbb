"""Messages to the user: codes, wording, places, and how they are printed."""
