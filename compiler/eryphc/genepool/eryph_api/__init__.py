"""The read-only client of eryph's gene pool API, and the gene sets that come from there."""
