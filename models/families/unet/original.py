"""Recognise the unpadded U-Net (Ronneberger et al. 2015, arXiv:1505.04597).

A skip is cropped at its centre to the size of what it is joined with, so the output is smaller
than the input: 572 gives 388. Shapes are those of the padded network, so PADDING=valid says
that a state dict in any of its spellings is this one. Dropout does nothing after training.
"""

from dataclasses import replace
from functools import partial

from models.families.unet import double_conv

FAMILY = replace(
    double_conv.FAMILY,
    name="original U-Net (PADDING=valid)",
    recognise=partial(double_conv.recognise, padding="valid"),
)
