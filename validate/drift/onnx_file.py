"""Run the operations of an ONNX file: each node is a model of its own in ONNX Runtime."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from torch import Tensor

from models.common.text import first_line
from models.errors import InputError
from validate.drift.operations import FLOAT16, FLOAT32, Details, FileOperation
from validate.drift.torch_values import TorchGraph
from validate.images.reading import Picture
from validate.runtimes.interface import as_input

ROLES = {
    "Conv": ("x", "weight", "bias"),
    "ConvTranspose": ("x", "weight", "bias"),
    "Gemm": ("x", "weight", "bias"),
    "BatchNormalization": ("x", "gamma", "beta", "mean", "variance"),
}
"""What the inputs of a node are called, as in Core ML."""
LONGEST = 200


class OnnxFile:
    """Run the operations of an `.onnx`. Raises InputError when it cannot be read, or branches."""

    def __init__(self, path: Path, graph: TorchGraph) -> None:
        try:
            self._model = onnx.load(path, load_external_data=False)
        except (OSError, DecodeError) as error:
            raise InputError(f"It is no ONNX file, or it is damaged: {error}.") from None
        self._graph = graph
        graph = self._model.graph
        self._given = {value.name for value in graph.input}
        self._tensors = {tensor.name: tensor for tensor in graph.initializer}
        self.operations = tuple(self._operation(node) for node in graph.node)

    def inputs(self, image: Picture) -> dict[str, Any]:
        """Return the values of its inputs for a picture `(H, W, C)`."""
        return dict.fromkeys(self._given, torch.from_numpy(as_input(image)))

    def stored(self, name: str, value: Tensor) -> Tensor:  # noqa: ARG002 (as the protocol has it)
        """Return `value` itself: the exported files hold float32."""
        return value

    def reference_name(self, name: str) -> str | None:
        """Return the name that PyTorch's graph has for a value of the file; None where none."""
        return None if name in self._given else self._graph.resolve(name)

    def _operation(self, node: onnx.NodeProto) -> FileOperation:
        if any(each.type == onnx.AttributeProto.GRAPH for each in node.attribute):
            raise InputError(f"Its node {node.name!r} branches, which drift cannot follow.")
        running = tuple(name for name in node.input if name and name not in self._tensors)
        fixed = [self._tensors[name] for name in node.input if name in self._tensors]
        half = any(each.data_type == onnx.TensorProto.FLOAT16 for each in fixed)
        return FileOperation(
            node.name or node.output[0],
            node.op_type,
            running,
            tuple(node.output),
            _Session(self._model, node, fixed),
            FLOAT16 if half else FLOAT32,
            partial(self._details, node),
        )

    def _details(self, node: onnx.NodeProto) -> Details:
        roles = ROLES.get(node.op_type, ())
        weights, parameters = {}, {}
        for position, name in enumerate(node.input):
            role = roles[position] if position < len(roles) else f"input {position + 1}"
            if name in self._tensors:
                array = numpy_helper.to_array(self._tensors[name])
                if array.ndim:
                    weights[role] = array
                else:
                    parameters[role] = str(array)
        for each in node.attribute:
            value = helper.get_attribute_value(each)
            text = value.decode() if isinstance(value, bytes) else str(value)
            parameters[each.name] = text[:LONGEST]
        return Details(weights, parameters)


class _Session:
    """Compute one node; the session is made when it first runs, for the types it is given."""

    def __init__(
        self, model: onnx.ModelProto, node: onnx.NodeProto, fixed: Sequence[onnx.TensorProto]
    ) -> None:
        self._model, self._node, self._fixed = model, node, fixed
        names = {tensor.name for tensor in fixed}
        self._running = tuple(name for name in node.input if name and name not in names)

    def __call__(self, values: Sequence[Any]) -> tuple[Any, ...]:
        arrays = {name: value.numpy() for name, value in zip(self._running, values, strict=True)}
        try:
            results = self._open(arrays).run(None, arrays)
        except Exception as error:  # the runtime raises classes of its own
            where = f"Its node {self._node.name!r} ({self._node.op_type})"
            raise InputError(f"{where} cannot be run: {first_line(error)}") from None
        return tuple(torch.from_numpy(np.array(each)) for each in results)

    def _open(self, arrays: Mapping[str, NDArray[Any]]) -> onnxruntime.InferenceSession:
        inputs = [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
            )
            for name, array in arrays.items()
        ]
        outputs = [onnx.ValueInfoProto(name=name) for name in self._node.output if name]
        graph = helper.make_graph([self._node], "node", inputs, outputs, self._fixed)
        model = helper.make_model(
            graph, opset_imports=self._model.opset_import, ir_version=self._model.ir_version
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 4  # what fails is told by the error
        return onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
