"""Rendered car-damage samples and a demonstration checkpoint that is fitted to them."""

from models.demo.samples import render_samples

__all__ = ["render_samples"]
