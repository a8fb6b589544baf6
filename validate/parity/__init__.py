"""Run every artifact of a bundle on samples, and compare it with PyTorch.

run              `judge` and `judge_network`
session          one run: PyTorch and every artifact, batch by batch
artifact         one artifact in one runtime
branches         the heads of a network with deep supervision
resize_filters   the phone's way from photo to mask
resume           an interrupted run
"""
