"""Measure how far two outputs are apart, and say how far they may be.

decision_values  what a mask is decided by: the scale of every error
comparison       errors, PSNR, flips and IoU of one artifact
margins          how decided each pixel is
mask_quality     IoU of masks and outlines, of what compression costs
float16_noise    what rounding to float16 does to this network
tolerances       the limits by format and precision
tolerances_file  the user's own limits
"""
