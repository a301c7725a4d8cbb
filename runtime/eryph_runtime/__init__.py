"""The runtime that carries out a Hyper-V deployment. Standard library only."""
