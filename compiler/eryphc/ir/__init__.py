"""What a catlet means, apart from how it was written and from any target."""
