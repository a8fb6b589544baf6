"""Run every artifact of a bundle on samples, and compare it with PyTorch.

run              `judge` and `judge_network`
session          a run of all pictures: PyTorch and every artifact, batch by batch
picture          one picture: PyTorch's outputs, and every artifact's beside them
artifact         one artifact in one runtime, and the verdict on it
compressed       a compressed file: beside the network with its weights, and by its masks
execution        its file, loaded and run
checks           what each artifact is asked once: a batch, photos, probes
probes           pictures unlike any photo
resize_filters   photos shrunk as on a phone
branches         the heads of a network with deep supervision, timed and compared
resume           an interrupted run
"""
