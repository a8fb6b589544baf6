"""Run every artifact of a bundle on samples, and compare it with PyTorch.

run              `judge` and `judge_network`
session          a run of all pictures: PyTorch and every artifact, batch by batch
picture          one picture: PyTorch's outputs and every artifact's
artifact         one artifact in one runtime
branches         the heads of a network with deep supervision, timed and compared
resize_filters   photos shrunk as on a phone
resume           an interrupted run
"""
