"""Recognise the U-Nets that papers and tutorials made common.

units            convolution blocks, read from keys and shapes, built and run
plan             the plain U-Net, planned and run
key_templates    plans read from keys, by templates of the layers' names
specify          the specification of a plan
double_conv, original, attention, residual, nested    one family a module
recurrent        the networks of R2U-Net, which attention recognises
"""
