"""The user's cache folder: content by its digest, seals, and what an index remembers."""
