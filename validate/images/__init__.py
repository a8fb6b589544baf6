"""Read pictures, and colour masks.

reading          a photo as pixels, upright and in sRGB
arrays           a `.npy` file as pixels
samples          the pictures that a bundle is judged on
batches          samples that are in memory together
overlay          a mask as transparent colours
"""
