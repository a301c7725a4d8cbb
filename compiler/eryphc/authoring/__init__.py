"""What authors of gene sets do: start one, check it, make images of it."""
