"""The `hyperv` target: a deployment document, a script that carries it out, and the seed image."""
