"""Run ONNX files in ONNX Runtime on the CPU."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray

from export.bundle import Bundle
from validate.images.reading import Picture
from validate.runtimes.interface import Outputs, as_batch, checked_batch, named_outputs
from validate.runtimes.limits import limited

RANDOM = {
    "Bernoulli",
    "Multinomial",
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
}
"""Operators whose results change from call to call, with a seed too; no others of ONNX do."""


class OnnxSession:
    """Run an `.onnx` file in an ONNX Runtime session with as many threads as PyTorch uses."""

    def __init__(self, path: Path, bundle: Bundle):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3  # errors only
        self._path = path
        # Given a path, it would open the files beside it that the model names as its weights.
        self._session = onnxruntime.InferenceSession(
            path.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
        self._names = [output.name for output in self._session.get_outputs()]
        self._specification = bundle.specification

    def run(self, image: Picture) -> Outputs:
        """Compute logits and mask of `image (H, W, C)`."""
        return self.run_batch([image])[0]

    def run_batch(self, images: Sequence[Picture]) -> list[Outputs]:
        """Compute logits and mask of `images`, each `(H, W, C)`, as one batch."""
        values = self._run(as_batch(images))
        outputs = named_outputs(dict(zip(self._names, values, strict=True)))
        return checked_batch(*outputs, self._specification, images)

    def _run(self, batch: NDArray[np.float32]) -> list[Any]:
        """Return the values of all outputs; ONNX Runtime stops between two nodes if told so."""
        options = onnxruntime.RunOptions()
        with limited(self._path) as until:
            timer = threading.Timer(until.seconds, setattr, (options, "terminate", True))
            timer.daemon = True
            timer.start()
            try:
                return list(self._session.run(None, {"image": batch}, options))
            except Exception:
                until.check()
                raise
            finally:
                timer.cancel()

    def state(self) -> str | None:
        """Return the operator that draws random numbers; None without one. ONNX keeps no state."""
        model = onnx.load(self._path, load_external_data=False)
        graphs = (model.graph, *model.functions)
        drawn = (node for graph in graphs for node in _nodes(graph.node) if _draws(node))
        return next((f"it draws random numbers ({node.op_type})" for node in drawn), None)


def _nodes(nodes: Any) -> Iterator[Any]:
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                yield from _nodes(graph.node)


def _draws(node: Any) -> bool:
    trains = node.op_type == "Dropout" and len(node.input) > 2 and bool(node.input[2])
    return node.op_type in RANDOM or trains
