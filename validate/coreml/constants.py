"""Hold the constants of a program while it is lowered: converted when first used, and once."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml import dtypes, ir


class LazyConstant:
    """Hold a constant of the file, or one computed from constants, in the forms operations want."""

    def __init__(self, constant: ir.Constant | None = None, value: Any = None) -> None:
        self._constant = constant
        self._value = value

    @classmethod
    def computed(cls, value: Any) -> "LazyConstant":
        """Wrap a value that a constexpr operation computed."""
        return cls(None, value)

    def value(self) -> Any:
        """Return it as it is computed with: float32, int32 or bool tensor, text or tuple."""
        if self._value is None and self._constant is not None:
            self._value = _in_flight(self._constant)
        return self._value

    def stored(self) -> Any:
        """Return a tensor in the type that the file stores (fp16, int8, uint8, …)."""
        if self._constant is None or not isinstance(self._constant.data, np.ndarray):
            return self.value()
        data = self._constant.data
        if data.dtype == object:
            raise InputError("A text stands where a weight is expected.")
        if data.dtype in (np.uint16, np.uint32, np.uint64):
            return dtypes.as_tensor(data)
        return torch.from_numpy(np.array(data))


def _in_flight(constant: ir.Constant) -> Tensor | str | tuple[Any, ...]:
    data = constant.data
    if isinstance(data, tuple):
        return tuple(_in_flight(each) for each in data)
    if data.dtype == object:
        texts = tuple(str(each) for each in data.reshape(-1))
        return texts[0] if data.shape == () else texts
    return dtypes.as_tensor(data)
