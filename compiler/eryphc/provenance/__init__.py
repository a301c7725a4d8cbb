"""What a build was made of: a statement for others, a list of parts, and checking both again."""
