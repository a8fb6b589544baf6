"""The statements and the weights of an ONNX file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnx import TensorProto, helper

from models.errors import InputError
from validate.metadata.content import FileContent, array_text, own_entries

WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
"""Operations that hold a network's weights."""
FLOATS: dict[int, str] = {TensorProto.FLOAT: "<f4", TensorProto.FLOAT16: "<f2"}


def read_onnx(path: Path) -> FileContent:
    """Read an ONNX file, but for weights that lie elsewhere. Raises InputError when damaged."""
    try:
        model = onnx.load(path, load_external_data=False)
    except (OSError, DecodeError, ValueError) as error:
        raise InputError(f"It is no ONNX file, or it is damaged: {error}.") from None
    graph = model.graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    opsets = [each.version for each in model.opset_import if each.domain in ("", "ai.onnx")]
    outside = sorted({name for tensor in tensors.values() for name in _locations(tensor)})
    inputs = [each for each in graph.input if each.name not in tensors]
    half = any(tensor.data_type == TensorProto.FLOAT16 for tensor in tensors.values())
    statements = {
        **own_entries({entry.key: entry.value for entry in model.metadata_props}),
        "target": f"opset {opsets[0] if opsets else 'unknown'}",
        "precision": "float16" if half else "float32",
        **{f"input {each.name}": _value(each) for each in inputs},
        **{f"output {each.name}": _value(each) for each in graph.output},
        **({"weights outside the file": ", ".join(outside)} if outside else {}),
    }
    return FileContent(statements, dict(_weights(graph, tensors)))


def _locations(tensor: TensorProto) -> Iterator[str]:
    if tensor.data_location == TensorProto.EXTERNAL:
        yield next((e.value for e in tensor.external_data if e.key == "location"), "unnamed")


def _value(info: onnx.ValueInfoProto) -> str:
    if not info.type.HasField("tensor_type"):
        return "no tensor"
    tensor = info.type.tensor_type
    try:
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.elem_type)).name
    except KeyError:
        dtype = f"type {tensor.elem_type}"
    if not tensor.HasField("shape"):
        return array_text(dtype, None)
    return array_text(dtype, [_size(each) for each in tensor.shape.dim])


def _size(dimension: Any) -> str:
    return str(dimension.dim_value) if dimension.HasField("dim_value") else "any"


def _weights(
    graph: onnx.GraphProto, tensors: dict[str, TensorProto]
) -> Iterator[tuple[str, NDArray[Any]]]:
    for node in graph.node:
        names = node.input if node.op_type in WEIGHTED else ()
        for name in names:
            tensor = tensors.get(name)
            if tensor is None or len(tensor.dims) < 2 or tensor.data_type not in FLOATS:
                continue
            array = np.frombuffer(tensor.raw_data, np.dtype(FLOATS[tensor.data_type]))
            if array.size == np.prod(tensor.dims):
                yield node.name or node.output[0], array.reshape(tuple(tensor.dims))
