"""Run ONNX files in ONNX Runtime on the CPU."""

from pathlib import Path

import onnxruntime
import torch

from export.bundle import Bundle
from validate.images.reading import Picture
from validate.runtimes.interface import Outputs, as_input, checked_outputs, named_outputs


class OnnxSession:
    """Run an `.onnx` file in an ONNX Runtime session with as many threads as PyTorch uses."""

    def __init__(self, path: Path, bundle: Bundle):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3  # errors only
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self._names = [output.name for output in self._session.get_outputs()]
        self._specification = bundle.specification

    def run(self, image: Picture) -> Outputs:
        """Compute logits and mask of `image (H, W, C)`."""
        values = self._session.run(None, {"image": as_input(image)})
        outputs = named_outputs(dict(zip(self._names, values, strict=True)))
        return checked_outputs(*outputs, self._specification, image)
