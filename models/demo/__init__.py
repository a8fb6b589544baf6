"""Rendered car-damage samples and a demonstration checkpoint that is fitted to them."""

from pathlib import Path

from models.demo.samples import render_samples


def make_demo_checkpoint(path: Path, samples: Path) -> None:
    """See `models.demo.checkpoint.make_demo_checkpoint`; imports torch only when called."""
    from models.demo.checkpoint import make_demo_checkpoint as make

    make(path, samples)


__all__ = ["make_demo_checkpoint", "render_samples"]
