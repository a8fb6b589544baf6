"""Read weights of layers: float32, float16, and of 1 to 8 bits with a scale or a table.

They lie in the model file itself, where protobuf gives no view of a field of floats. The message is
therefore serialised again, a copy in one piece, and the numbers are taken from those bytes.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.limits import require_size

_FLOAT_VALUE = b"\x0a"
"""Field 1, length-delimited: how the serialised floats begin."""


def read(message: Any, shape: Sequence[int], what: str, *, channel_axis: int = 0) -> Tensor:
    """Return a weight as float32.

    Args:
        message: a `WeightParams` message.
        shape: the shape that the layer's parameters give it.
        what: its name in the layer, for messages.
        channel_axis: the axis along which linear quantization has a scale each.

    Raises:
        InputError: if the number of values contradicts the shape, or the encoding is malformed.
    """
    require_size(shape, f"its {what}")
    count = math.prod(shape)
    encodings = ("floatValue", "float16Value", "rawValue", "int8RawValue")
    present = [name for name in encodings if len(getattr(message, name))]
    if len(present) > 1:
        raise InputError(f"It stores its {what} twice, as {' and '.join(present)}.")
    if not present:
        values = np.empty(0, np.float32)
    elif present == ["floatValue"]:
        values = floats(message)
    elif present == ["float16Value"]:
        values = _elements(message.float16Value, np.float16, what)
    else:
        return _quantized(message, tuple(shape), what, channel_axis)
    if values.size != count:
        raise InputError(f"It has {values.size} values for its {what} instead of {count}.")
    return torch.from_numpy(np.array(values.reshape(shape), np.float32))


def read_integers(message: Any, shape: Sequence[int], what: str) -> tuple[Tensor, float]:
    """Return the int8 values of a weight, as float32, and their scale.

    Raises:
        InputError: if it is not stored as int8 with one scale and no bias.
    """
    linear = message.quantization.linearQuantization
    if len(linear.scale) != 1 or any(linear.bias):
        raise InputError(f"It needs one scale and no bias for its {what}.")
    values = _elements(message.int8RawValue, np.int8, what)
    if values.size != math.prod(shape):
        raise InputError(
            f"It has {values.size} values for its {what} instead of {math.prod(shape)}."
        )
    return torch.from_numpy(values.reshape(shape).astype(np.float32)), float(linear.scale[0])


def floats(message: Any) -> np.ndarray:
    """Return the field 1 of a message, a packed list of floats, as a read-only array."""
    content = message.SerializeToString()
    if not content.startswith(_FLOAT_VALUE):
        return np.empty(0, np.float32)
    size, position, shift = 0, 1, 0
    while True:
        byte = content[position]
        size |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return np.frombuffer(content, "<f4", size // 4, position)


def _elements(content: bytes, dtype: type[np.generic], what: str) -> np.ndarray:
    if len(content) % np.dtype(dtype).itemsize:
        raise InputError(f"It has {len(content)} bytes for its {what}, half an element too many.")
    return np.frombuffer(content, dtype)


def _quantized(message: Any, shape: tuple[int, ...], what: str, channel_axis: int) -> Tensor:
    quantization = message.quantization
    kind = quantization.WhichOneof("QuantizationType")
    if kind is None:
        raise InputError(f"It stores its {what} as bytes without saying how they are quantized.")
    codes = _codes(message, math.prod(shape), what)
    if kind == "lookupTableQuantization":
        table = floats(quantization.lookupTableQuantization)
        if table.size != 2**quantization.numberOfBits or codes.dtype == np.int8:
            raise InputError(f"It has a table of {table.size} values for its {what}.")
        return torch.from_numpy(table[codes].reshape(shape))
    linear = quantization.linearQuantization
    scale, bias = (
        _per_channel(values, shape, channel_axis, what) for values in (linear.scale, linear.bias)
    )
    values = codes.reshape(shape).astype(np.float32)
    return torch.from_numpy(np.asarray(values * scale + bias, np.float32))


def _codes(message: Any, count: int, what: str) -> np.ndarray:
    """Return the stored integers.

    Below 8 bits they are packed with the first in the high bits: of 4 bits, 0x12 holds 1 and 2.
    """
    if len(message.int8RawValue):
        codes: np.ndarray = np.frombuffer(message.int8RawValue, np.int8)
    else:
        bits = message.quantization.numberOfBits
        content = np.frombuffer(message.rawValue, np.uint8)
        if not 1 <= bits <= 8 or content.size != (count * bits + 7) // 8:
            raise InputError(
                f"It has {content.size} bytes for {count} values of {bits} bits, {what}."
            )
        codes = content if bits == 8 else _unpack(content, count, bits)
    if codes.size != count:
        raise InputError(f"It has {codes.size} values for its {what} instead of {count}.")
    return codes


def _unpack(content: np.ndarray, count: int, bits: int) -> np.ndarray:
    digits = np.unpackbits(content)[: count * bits].reshape(count, bits)
    places = (1 << np.arange(bits - 1, -1, -1)).astype(np.uint8)
    return (digits * places).sum(axis=1, dtype=np.uint8)  # type: ignore[no-any-return]


def _per_channel(values: Any, shape: tuple[int, ...], axis: int, what: str) -> np.ndarray:
    """Return scales or biases so that they broadcast: one for all, or one for each channel."""
    array = np.array(values, np.float32)
    if array.size <= 1:
        return array.reshape(()) if array.size else np.zeros((), np.float32)
    axis = axis if len(shape) > 1 else 0
    if array.size != shape[axis]:
        raise InputError(
            f"It has {array.size} scales for the {shape[axis]} channels of its {what}."
        )
    return array.reshape([-1 if i == axis else 1 for i in range(len(shape))])
