"""Hold each file's own statements, and its weights, against `bundle.json` and the checkpoint.

check                  `check_statements`: every sentence about a bundle that is wrong
expected               the statements that a file has to make, by bundle.json
content                the statements and the weights of a file, read from it as it was written
coreml_content,
onnx_content,
torchscript_content    the reader of each format
compressed_weights     weights that a Core ML file stores in few bits
network_weights        the weights that a network applies, and the batch norms behind them
compare_weights        a file's weights against those, at the file's own precision
verdict                the bundle's last verdict, before its files are used
"""
