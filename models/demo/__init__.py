"""Make the demonstration checkpoint: a U-Net that is fitted to the rendered samples.

checkpoint       the file
fit              its training
views            crops of the samples, in another light
descent          the optimiser
samples          the samples and their true masks, read
"""
