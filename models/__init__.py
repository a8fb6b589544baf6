"""Checkpoints and networks: what is in a file, and which network it belongs to."""
