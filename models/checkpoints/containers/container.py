"""Hold what every container reader returns: the object in the file, and access to its storages."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from models.checkpoints.budget import BYTES, NUMBERS, Budget
from models.checkpoints.containers.raw_file import USABLE_DTYPES, strided
from models.checkpoints.pickles.numpy_values import numpy_array
from models.checkpoints.pickles.records import (
    BrokenFile,
    Inert,
    StorageRef,
    StoredTensor,
    UnusableTensor,
)
from models.common.text import shown


@dataclass(frozen=True)
class OpenedFile:
    """Hold the content of a checkpoint file before its weights are searched for.

    budget    what reading it has cost so far
    root      what the file holds: dicts, lists, `Inert` objects, `StoredTensor`s, tensors
    storage   the bytes of a storage, as a uint8 tensor
    """

    container: str
    budget: Budget
    root: object
    storage: Callable[[StorageRef], torch.Tensor]
    config: dict[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def read(self, value: object) -> torch.Tensor | UnusableTensor:
        """Return the tensor behind a record, or the reason why there is none.

        Raises BrokenFile where the record describes no tensor or does not fit its storage.
        """
        if isinstance(value, torch.Tensor):
            dtype = str(value.dtype).removeprefix("torch.")
            return value if dtype in USABLE_DTYPES else UnusableTensor(f"it holds {dtype} numbers")
        if isinstance(value, UnusableTensor):
            return value
        if isinstance(value, Inert):
            return self._from_numpy(value)
        if not isinstance(value, StoredTensor):
            raise BrokenFile("its pickle has something else where a tensor should be")
        if value.dtype not in USABLE_DTYPES:
            return UnusableTensor(f"it holds {shown(value.dtype) or 'untyped'} numbers")
        # A stride of 0 repeats a number as often as the size says, so views cost what they show.
        self.budget.spend(NUMBERS, math.prod(max(1, size) for size in value.size))
        return strided(value, self.storage(value.storage))

    def _from_numpy(self, value: Inert) -> torch.Tensor | UnusableTensor:
        array = numpy_array(value)
        if array is None:
            return UnusableTensor(f"it is an object of {shown(value.cls)}")
        self.budget.spend(BYTES, array.nbytes)  # copied below, for every name that shares it
        native = array.astype(array.dtype.newbyteorder("="), copy=True)
        return torch.from_numpy(native)
