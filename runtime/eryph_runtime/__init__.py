"""The runtime that carries out a Hyper-V deployment. Standard library only."""

__version__ = "0.1.0"
