"""Decode numbers and arrays that NumPy pickled, without NumPy's own unpickling."""

import re

import numpy as np

from models.checkpoints.pickles.records import BrokenFile, Global, Inert

_PLAIN = re.compile(r"[<>=|]?(b1|[iu][1248]|f[248])")
_MOST_DIMENSIONS = 32
NDARRAY = Global("numpy", "ndarray")


def numpy_scalar(args: tuple[object, ...]) -> object:
    """Return a number pickled by NumPy as Python's, or None for a dtype that is no plain number.

    `args` are those of numpy.core.multiarray.scalar: a dtype and bytes.
    """
    dtype = _dtype(args[0])
    raw = None if dtype is None else _bytes(args[1] if len(args) > 1 else b"")
    if dtype is None or raw is None:
        return None
    if len(raw) != dtype.itemsize:
        raise BrokenFile("its pickle holds a NumPy number of the wrong length")
    value: object = np.frombuffer(raw, dtype)[0].item()
    return value


def numpy_array(value: Inert) -> np.ndarray | None:
    """Return the array that `value` describes, or None where it is no plain array of numbers.

    >>> numpy_array(Inert(NDARRAY, state=(1, (2,), Inert(Global("numpy", "dtype"), ("u1",)),
    ...                                   False, b"ab"))).tolist()
    [97, 98]
    """
    if value.cls != NDARRAY or not isinstance(value.state, tuple) or len(value.state) != 5:
        return None
    _version, shape, described, fortran, stored = value.state
    dtype, data = _dtype(described), _bytes(stored)
    if dtype is None or data is None or not isinstance(shape, tuple):
        return None
    if len(shape) > _MOST_DIMENSIONS:
        raise BrokenFile(f"its pickle holds a NumPy array of {len(shape):,} dimensions")
    if not all(type(n) is int and 0 <= n <= len(data) for n in shape):
        return None
    count = 1
    for n in shape:
        count *= n
    if count * dtype.itemsize != len(data):
        raise BrokenFile("its pickle holds a NumPy array of the wrong length")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _bytes(value: object) -> bytes | None:
    """Return the bytes of a value, which protocol 2 pickles as `_codecs.encode(text, "latin1")`."""
    if isinstance(value, Inert) and value.cls == Global("_codecs", "encode"):
        value = value.args[0]
    if isinstance(value, str):
        return value.encode("latin-1")
    return bytes(value) if isinstance(value, bytes | bytearray) else None


def _dtype(described: object) -> np.dtype | None:
    """Return the dtype that a pickled `numpy.dtype` describes, None if no plain number type."""
    if not isinstance(described, Inert) or not described.args:
        return None
    code = described.args[0]
    if not isinstance(code, str) or not _PLAIN.fullmatch(code):
        return None
    state = described.state
    order = state[1] if isinstance(state, tuple) and len(state) > 1 else "="
    return np.dtype(code).newbyteorder(">" if order == ">" or code[0] == ">" else "<")
