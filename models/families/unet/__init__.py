"""Recognise the U-Nets that papers and tutorials made common.

key_templates    spellings of the keys
units            convolution blocks, read from shapes
plan             the plain U-Net, read and built
double_conv, original, nested, attention, residual    one network a module
"""
