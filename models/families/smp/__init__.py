"""Recognise the architectures of segmentation-models-pytorch.

common           what all share: encoder, head, specification, the network itself
keys             shapes of a decoder's weights by key
unet, unetplusplus, manet, linknet, fpn, pspnet, pan, deeplabv3, deeplabv3plus, upernet,
segformer, dpt   one architecture a module
"""
