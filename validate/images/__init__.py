"""Read pictures, and colour masks.

reading          a photo as pixels, upright, and stretched
arrays           a `.npy` file as pixels
samples          the pictures that a bundle is judged on
batches          samples that are in memory together
overlay          masks in colours, and pictures as RGB
"""
