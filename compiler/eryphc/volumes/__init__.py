"""Disk images: fetched, verified, looked into and converted. Nothing that builds imports this."""
