"""Run an artifact: each runtime takes the same picture and gives logits and a mask.

    interface         Runtime, Outputs, NotRun, MalformedOutput, OutOfScope
    eager             the reference: the PyTorch network itself
    torchscript       torch.jit
    onnx_session      ONNX Runtime on the CPU
    coreml_native     Apple's Core ML, on macOS
    coreml_reference  validate.coreml, anywhere

`runtimes_for` says which of them judge an artifact on this machine.
"""

from validate.runtimes.choice import CoreMLChoice, Opener, runtimes_for
from validate.runtimes.interface import (
    BatchRuntime,
    MalformedOutput,
    NotRun,
    OutOfScope,
    Outputs,
    Runtime,
    SmallMask,
    small_type,
)

__all__ = [
    "BatchRuntime",
    "CoreMLChoice",
    "MalformedOutput",
    "NotRun",
    "Opener",
    "OutOfScope",
    "Outputs",
    "Runtime",
    "SmallMask",
    "runtimes_for",
    "small_type",
]
