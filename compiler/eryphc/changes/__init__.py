"""What differs between two tags of a gene set: in words, as data and as a verdict."""
