"""Write a deployable network to TorchScript, Core ML and ONNX files, as one bundle.

pipeline             a checkpoint becomes a bundle that was judged
settings             what the user asks for
formats              every format that was asked for
tracing              the trace that TorchScript and Core ML are made of
to_torchscript, to_coreml, to_onnx    one format each
subprocess_writer    one of them in a process of its own
float16_fallback     what float16 does not suit stays in float32
coreml_names         the PyTorch module of a value in a Core ML file
bundle               bundle.json
metadata             what every file says of itself
staging              a bundle is moved into its place whole
size_check           the network's first run
summary              the last lines of an export
schema, quiet        JSON against its schema; converters without their chatter
"""
