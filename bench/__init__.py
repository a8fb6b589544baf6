"""Measure Segport beside the least that could be done, and hold it against aims."""
