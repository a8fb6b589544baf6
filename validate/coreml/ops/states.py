"""Read and write states (iOS 18).

coremltools writes its `coreml_update_state` to files as a write_state and a read_state. A value is
never changed in place by an operation, so reading and writing need no copies.
"""

from typing import Any

from torch import Tensor

from models.errors import InputError
from validate.coreml.graph import StateBuffer
from validate.coreml.registry import op


@op("read_state", since=18, exact=True)
def read_state(input: Any) -> Tensor:
    """Return the state's value."""
    return _buffer(input).value


@op("write_state", since=18, exact=True)
def write_state(input: Any, data: Tensor) -> None:
    """Replace the state's value."""
    buffer = _buffer(input)
    if data.shape != buffer.value.shape:
        raise InputError(f"It writes {list(data.shape)} to a state of {list(buffer.value.shape)}.")
    buffer.value = data


def _buffer(value: Any) -> StateBuffer:
    if not isinstance(value, StateBuffer):
        raise InputError("Its parameter 'input' is no state.")
    return value
