"""Run cond and while_loop, and keep lists of tensors.

What a block computes is rounded inside it, so these operations are exact.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml import dtypes
from validate.coreml.limits import MAX_ITERATIONS, require_size
from validate.coreml.registry import Blocks, Ints, Values, op


@op("cond", exact=True)
def cond(pred: bool, blocks: Blocks) -> Any:
    """Compute the first block where `pred` is true, otherwise the second."""
    if len(blocks) != 2:
        raise InputError(f"It has {len(blocks)} blocks instead of two.")
    return _several(blocks[0 if pred else 1]())


@op("while_loop", exact=True)
def while_loop(loop_vars: Values, blocks: Blocks) -> Any:
    """Compute the second block on its own results for as long as the first gives true."""
    if len(blocks) != 2:
        raise InputError(f"It has {len(blocks)} blocks instead of two.")
    condition, body = blocks
    values = loop_vars
    while _truth(condition(*values)):
        values = body(*values)
    return _several(values)


def _truth(values: tuple[Any, ...]) -> bool:
    if len(values) != 1 or not isinstance(values[0], Tensor) or values[0].numel() != 1:
        raise InputError("Its condition is not one truth value.")
    return bool(values[0])


def _several(values: tuple[Any, ...]) -> Any:
    """Return results as the executor takes them: one alone, several as a tuple."""
    return values[0] if len(values) == 1 else values


@dataclass(frozen=True, slots=True)
class TensorList:
    """Hold a list of tensors of one shape; what was never written is zeros.

    Attributes:
        elements: the tensors, None where nothing was written.
        shape: the shape of an element, None for a size that is known once one is written.
        dtype: tensor type of the elements.
        grows: whether writing beyond the end makes the list longer.
    """

    elements: tuple[Tensor | None, ...]
    shape: tuple[int | None, ...]
    dtype: torch.dtype
    grows: bool

    def read(self, index: int) -> Tensor:
        """Return an element."""
        if not 0 <= index < len(self.elements):
            raise InputError(f"It reads element {index} of a list of {len(self.elements)}.")
        element = self.elements[index]
        return self._zeros() if element is None else element

    def write(self, index: int, value: Tensor) -> "TensorList":
        """Return the list with one element replaced, or appended."""
        length = max(len(self.elements), index + 1)
        if index < 0 or (not self.grows and length > len(self.elements)):
            raise InputError(f"It writes element {index} of a list of {len(self.elements)}.")
        if length > MAX_ITERATIONS:
            raise InputError(f"Its list would have {length} elements.")
        require_size((length, *value.shape), "Its list")
        elements = [*self.elements, *(None,) * (length - len(self.elements))]
        elements[index] = value
        return replace(self, elements=tuple(elements))

    def _zeros(self) -> Tensor:
        written = next((each.shape for each in self.elements if each is not None), None)
        shape = tuple(size for size in self.shape if size is not None)
        if written is None and len(shape) != len(self.shape):
            raise InputError("It reads a list whose elements have no known shape yet.")
        return torch.zeros(shape if written is None else written, dtype=self.dtype)


@op("make_list", exact=True)
def make_list(
    elem_shape: Values, init_length: int = 1, dynamic_length: bool = True, dtype: str = "fp32"
) -> TensorList:
    """Make a list; a size given as text is a symbol, known only when it runs."""
    shape: list[int | None] = []
    for size in elem_shape:
        shape += size.reshape(-1).tolist() if isinstance(size, Tensor) else [None]
    if dtype not in dtypes.BY_NAME or not 0 <= init_length <= MAX_ITERATIONS:
        raise InputError(f"It makes a list of {init_length} {dtype}.")
    require_size((init_length, *(1 if size is None else size for size in shape)), "Its list")
    in_flight = dtypes.in_flight(dtypes.BY_NAME[dtype])
    return TensorList((None,) * init_length, tuple(shape), in_flight, dynamic_length)


@op("list_length", exact=True)
def list_length(ls: Any) -> Tensor:
    """Return the number of elements."""
    return torch.tensor(len(_list(ls).elements), dtype=torch.int32)


@op("list_read", exact=True)
def list_read(ls: Any, index: int) -> Tensor:
    """Return the element at `index`."""
    return _list(ls).read(index)


@op("list_write", exact=True)
def list_write(ls: Any, index: int, value: Tensor) -> TensorList:
    """Replace the element at `index`; a dynamic list grows to hold it."""
    return _list(ls).write(index, value)


@op("list_gather", exact=True)
def list_gather(ls: Any, indices: Ints) -> Tensor:
    """Stack the elements at `indices`: `(len(indices), *shape)`."""
    elements = [_list(ls).read(index) for index in indices]
    if not elements:
        raise InputError("It gathers no element.")
    require_size((len(elements), *elements[0].shape), "Its result")
    return torch.stack(elements)


@op("list_scatter", exact=True)
def list_scatter(ls: Any, indices: Ints, value: Tensor) -> TensorList:
    """Replace the elements at `indices` by the slices of `value`."""
    result = _list(ls)
    if value.dim() == 0 or len(value) != len(indices):
        raise InputError(f"It scatters {list(value.shape)} to {len(indices)} elements.")
    for index, element in zip(indices, value, strict=True):
        result = result.write(index, element)
    return result


def _list(value: Any) -> TensorList:
    if not isinstance(value, TensorList):
        raise InputError("Its parameter 'ls' is no list.")
    return value
