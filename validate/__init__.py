"""Judges exported files: runs them on samples and compares them with PyTorch."""
