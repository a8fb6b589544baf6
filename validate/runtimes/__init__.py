"""Run an artifact: each runtime takes the same picture and gives logits and a mask.

    interface         Runtime, Outputs, NotRun, MalformedOutput, RefusedFile, OutOfScope
    limits            how much time and memory a file may take for one run
    eager             the reference: the PyTorch network itself
    torchscript       torch.jit
    torchscript_code  what its code may say, read before it runs
    torchscript_records  what its pickles may hold, read before they are loaded
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
    RefusedFile,
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
    "RefusedFile",
    "Runtime",
    "SmallMask",
    "runtimes_for",
    "small_type",
]
