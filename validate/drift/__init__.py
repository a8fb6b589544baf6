"""Find where an exported file departs from PyTorch, operation by operation.

    run               all files of a bundle: `with_drift` is the way in
    open_file         a file, and the graph of PyTorch's nodes that its names are from
    torch_values      PyTorch's own values: a network's computation as nodes, run one by one
    torchscript_graph, export_graph
                      the nodes of a TorchScript trace (for Core ML) and of torch.export (for ONNX)
    operations        what a file computes, as operations that can be run one at a time
    coreml_file, coreml_details, onnx_file
                      the operations of a `.mlpackage` or `.mlmodel`, and of an `.onnx`
    compare           runs both sides in step and measures
    rounding          what rounding alone does to an operation: the limit of its own error
    weights           a departing operation's constants against those of its PyTorch modules
    cause             the cause in a sentence

`validate.results.drift` holds what is returned; nothing here imports `validate.report`.
"""
