"""Where an exported file departs from PyTorch: operation by operation, named by its module.

    recording      PyTorch's own values: a network's computation as nodes, run one after the other
    traced, exported
                   the nodes of a TorchScript trace (for Core ML) and of torch.export (for ONNX)
    operations     what a file computes, as operations that can be run one at a time
    coreml_file, onnx_file
                   the operations of a `.mlpackage` or `.mlmodel`, and of an `.onnx`
    opening        a file beside the recording that its names are from
    rounding_noise what rounding alone does to an operation: the limit of its own error
    following      runs both sides in step and measures
    weights        a departing operation's constants against those of its PyTorch modules
    naming         the cause in a sentence
    drifts         all files of a bundle

`drifts.with_drift` is the way in; `validate.results.drift` holds what it returns.
"""
