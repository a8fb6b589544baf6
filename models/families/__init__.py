"""Recognise and build networks from the keys and shapes of a state dict.

family           what every family offers
recognise        the list of families, and the one that fits
hints            the nearest families, where none does
encoders/        smp's and timm's encoders by their shapes
smp/             one module an architecture of segmentation-models-pytorch
unet/            the U-Nets of papers and tutorials
trans_unet/      TransUNet
"""
