"""Recognise the unpadded U-Net (Ronneberger et al. 2015, arXiv:1505.04597).

A skip is cropped at its centre to the size of what it is joined with, so the output is smaller
than the input: 572 gives 388. Shapes are those of the padded network, so PADDING=valid says
that a state dict in any of its spellings is this one. Dropout does nothing after training.
"""

from collections.abc import Mapping

from models.families.unet import double_conv
from models.families.unet.double_conv import build, ignored, renamed
from models.specification import Choices, Specification

__all__ = ["NAME", "PARTS", "build", "ignored", "recognise", "renamed"]

NAME = "original U-Net (PADDING=valid)"
PARTS = double_conv.PARTS


def recognise(shapes: Mapping[str, tuple[int, ...]], choices: Choices) -> Specification | None:
    """Return the specification, where `choices` say that the convolutions are unpadded."""
    return double_conv.recognise(shapes, choices, "valid")
