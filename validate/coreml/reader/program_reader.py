"""Read the protobuf of an ML program into its intermediate representation (`ir`), form checked.

Nothing is resolved here: names are checked when the program is lowered. Source: `MIL.proto` of the
Core ML specification.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import InputError
from validate.coreml import dtypes, ir
from validate.coreml.limits import MAX_ELEMENTS, MAX_LIVE_ELEMENTS, MAX_NESTING
from validate.coreml.reader.blob import BlobFile
from validate.coreml.reader.package import ModelFiles, contained_file
from validate.coreml.reader.program_types import value_type
from validate.coreml.reader.versions import IOS, OPSETS

_MODEL_PATH = "@model_path/"
_PARAMETER_OF_NAME = "name"


class ProgramReader:
    """Read the functions of one program; weight files are opened once each."""

    def __init__(self, files: ModelFiles) -> None:
        self._files = files
        self._blobs: dict[Path, BlobFile] = {}
        self._elements = 0

    def function(self, proto: Any, name: str) -> ir.Function:
        """Read one function of the program message `proto`.

        Raises:
            InputError: if there is no such function, or it is malformed.
        """
        if name not in proto.functions:
            raise InputError(f"It has no function {name!r}, only {sorted(proto.functions)}.")
        message = proto.functions[name]
        if message.opset not in OPSETS:
            raise InputError(f"Its function {name!r} has the unknown opset {message.opset!r}.")
        if message.opset not in message.block_specializations:
            raise InputError(f"Its function {name!r} has no block for its opset {message.opset}.")
        block = self._block(message.block_specializations[message.opset], depth=0)
        opset = int(IOS[OPSETS[message.opset]])
        return ir.Function(name, opset, _named(message.inputs), block)

    def _block(self, message: Any, depth: int) -> ir.Block:
        if depth > MAX_NESTING:
            raise InputError(f"Its blocks are nested deeper than {MAX_NESTING}.")
        operations = tuple(self._operation(each, depth) for each in message.operations)
        return ir.Block(_named(message.inputs), operations, tuple(message.outputs))

    def _operation(self, message: Any, depth: int) -> ir.Operation:
        outputs = _named(message.outputs)
        attributes = {key: (self.value(each),) for key, each in message.attributes.items()}
        label = attributes.pop(_PARAMETER_OF_NAME, None)
        inputs = {key: self._arguments(each) for key, each in message.inputs.items()}
        blocks = tuple(self._block(each, depth + 1) for each in message.blocks)
        name = _text(label[0]) if label else outputs[0].name if outputs else ""
        return ir.Operation(message.type, name, attributes | inputs, outputs, blocks)

    def _arguments(self, message: Any) -> tuple[ir.Argument, ...]:
        return tuple(
            self.value(binding.value) if binding.WhichOneof("binding") == "value" else binding.name
            for binding in message.arguments
        )

    def value(self, message: Any) -> ir.Constant:
        """Read a constant: a tensor in the program or in a weight file, a list or a tuple.

        Raises:
            InputError: if it contradicts its type, or its weight is not there.
        """
        type_ = value_type(message.type)
        self._count(type_)
        if message.WhichOneof("value") == "blobFileValue":
            return ir.Constant(type_, self._blob(message.blobFileValue, type_))
        immediate = message.immediateValue
        match immediate.WhichOneof("value"):
            case "tensor":
                return ir.Constant(type_, _immediate(immediate.tensor, type_))
            case "list":
                return ir.Constant(type_, tuple(self.value(v) for v in immediate.list.values))
            case "tuple":
                return ir.Constant(type_, tuple(self.value(v) for v in immediate.tuple.values))
            case kind:
                raise InputError(f"It has a constant of the unknown kind {kind!r}.")

    def _count(self, type_: ir.ValueType) -> None:
        """Bound the memory of all constants: many may share the bytes of one weight."""
        if isinstance(type_, ir.TensorType) and type_.shape is not None:
            self._elements += math.prod(size or 0 for size in type_.shape)
        if self._elements > MAX_LIVE_ELEMENTS:
            raise InputError(f"Its constants have more than {MAX_LIVE_ELEMENTS} elements.")

    def _blob(self, message: Any, type_: ir.ValueType) -> np.ndarray:
        dtype, shape = _fixed(type_)
        name = message.fileName
        if not name.startswith(_MODEL_PATH):
            raise InputError(f"The weight file name {name!r} does not begin with {_MODEL_PATH}.")
        path = self._files.model_folder / name.removeprefix(_MODEL_PATH)
        path = contained_file(self._files.root, path, "its weight file")
        if path not in self._blobs:
            self._blobs[path] = BlobFile(path)
        return self._blobs[path].read(message.offset, dtype, math.prod(shape)).reshape(shape)


def _named(messages: Any) -> tuple[ir.Named, ...]:
    return tuple(ir.Named(each.name, value_type(each.type)) for each in messages)


def _fixed(type_: ir.ValueType) -> tuple[dtypes.DType, tuple[int, ...]]:
    """Return data type and shape of a constant's type, which must be known in full."""
    shape = type_.shape if isinstance(type_, ir.TensorType) else None
    if not isinstance(type_, ir.TensorType) or shape is None:
        raise InputError("A constant is declared as something else than a tensor with a shape.")
    known = tuple(size for size in shape if size is not None)
    if max(known, default=0) > MAX_ELEMENTS:
        raise InputError(f"A constant is declared with the shape {type_}, beyond every limit.")
    if len(known) != len(shape):
        raise InputError(f"A constant is declared with the incomplete shape {type_}.")
    return type_.dtype, known


def _immediate(message: Any, type_: ir.ValueType) -> np.ndarray:
    """Return the array of a tensor that lies in the program itself."""
    dtype, shape = _fixed(type_)
    count = math.prod(shape)
    field = message.WhichOneof("value")
    if field is None:
        array = np.empty(0, np.dtype(dtype.storage))
    elif field == "bytes":
        array = _from_bytes(message.bytes.values, dtype, count)
    else:
        array = _from_numbers(getattr(message, field).values, dtype)
    if array.size != count:
        raise InputError(f"A constant has {array.size} values but is declared as {type_}.")
    return array.reshape(shape)


def _from_bytes(content: bytes, dtype: dtypes.DType, count: int) -> np.ndarray:
    if dtype.kind == "str" or len(content) != (count * dtype.bits + 7) // 8:
        raise InputError(f"A constant of {count} {dtype.name} has {len(content)} bytes.")
    if dtype.bits < 8:
        packed = np.frombuffer(content, np.uint8)
        return dtypes.unpack(packed, dtype.bits, count, signed=dtype.storage == "int8")
    return np.frombuffer(content, np.dtype(dtype.storage))


def _from_numbers(values: Any, dtype: dtypes.DType) -> np.ndarray:
    items = list(values)
    if (dtype.kind == "str") != any(isinstance(item, str) for item in items[:1]):
        raise InputError(f"A constant of type {dtype.name} holds values of another type.")
    try:
        return np.array(items, np.dtype(dtype.storage))
    except (OverflowError, ValueError):
        raise InputError(f"A constant holds values beyond the range of {dtype.name}.") from None


def _text(constant: ir.Argument) -> str:
    data = constant.data if isinstance(constant, ir.Constant) else None
    if isinstance(data, np.ndarray) and data.dtype == object and data.size == 1:
        return str(data.item())
    raise InputError("An operation's name is not a text.")
