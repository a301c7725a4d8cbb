"""eryphc: a compiler from catlets and genes to artifacts that boot."""

__version__ = "0.1.0"
