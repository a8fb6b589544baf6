"""Writes a deployable network to TorchScript, Core ML and ONNX files, as one bundle."""
