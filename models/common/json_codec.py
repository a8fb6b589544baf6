"""Write frozen dataclasses as JSON and read them back by their type hints, arrays to the bit.

A field with the metadata `{"stored": False}` is left out, and has its default when read.

>>> revive(tuple[float, ...], plain((0.1, 2.5)))
(0.1, 2.5)
"""

import base64
import math
import types
import zlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

SCALARS: Final = {bool: (bool,), int: (int,), float: (float, int), str: (str,)}
"""The types that JSON has for a hint; True is no number."""


def plain(value: object) -> Any:
    """Return `value` as `json.dumps` takes it.

    It is made of dataclasses, arrays, tuples, lists, mappings and scalars.
    """
    if is_dataclass(value):
        return {name: plain(getattr(value, name)) for name in _stored(value)}
    if isinstance(value, np.ndarray):
        packed = base64.b64encode(zlib.compress(np.ascontiguousarray(value).tobytes(), 1))
        return {"dtype": value.dtype.str, "shape": value.shape, "data": packed.decode()}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    return value


def revive(hint: Any, value: Any) -> Any:
    """Return what `plain` was given, if that was of the type `hint`.

    Raises ValueError where `value` does not fit.
    """
    try:
        return _revived(hint, value)
    except (AttributeError, KeyError, OverflowError, TypeError, zlib.error) as error:
        raise ValueError(f"it is no {getattr(hint, '__name__', hint)} ({error!r:.80})") from None


def _revived(hint: Any, value: Any) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in inner:
            return None
        return _revived(next(each for each in inner if each is not type(None)), value)
    if is_dataclass(hint):
        return _dataclass(hint, value)
    if origin is np.ndarray:
        return _array(value)
    if origin is tuple and inner[-1] is Ellipsis:
        return tuple(_revived(inner[0], each) for each in value)
    if origin is tuple:
        return tuple(_revived(kind, each) for kind, each in zip(inner, value, strict=True))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {inner[0](key): _revived(inner[1], each) for key, each in value.items()}
    if hint in SCALARS and type(value) not in SCALARS[hint]:
        raise TypeError(f"{type(value).__name__} in place of {hint.__name__}")
    return value


def _dataclass(hint: Any, value: Mapping[str, Any]) -> Any:
    hints = get_type_hints(hint)
    if value.keys() != set(_stored(hint)):
        raise ValueError(f"these are not the fields of {hint.__name__}")
    return hint(**{name: _revived(hints[name], each) for name, each in value.items()})


def _stored(value: Any) -> list[str]:
    return [field.name for field in fields(value) if field.metadata.get("stored", True)]


def _array(value: Mapping[str, Any]) -> NDArray[Any]:
    dtype, shape = np.dtype(value["dtype"]), value["shape"]
    size = math.prod(shape) * dtype.itemsize
    data = zlib.decompressobj().decompress(base64.b64decode(value["data"]), max(size, 1))
    return np.frombuffer(data, dtype).reshape(shape).copy()
