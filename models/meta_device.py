"""Build networks without memory for their weights, and without the time to initialise them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

INITIALISERS = frozenset(
    "normal_ uniform_ trunc_normal_ kaiming_normal_ kaiming_uniform_ xavier_normal_ "
    "xavier_uniform_ constant_ ones_ zeros_ erfinv_ clamp_ fill_ zero_ mul_ add_ div_".split()
)
"""Functions that initialise weights: they take most of the time, and are of no use here."""


class _WithoutInitialisation(TorchFunctionMode):
    """Leave tensors of the meta device as they are."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func.__name__ in INITIALISERS:
            tensor = args[0] if args else (kwargs or {}).get("tensor")
            if isinstance(tensor, torch.Tensor) and tensor.is_meta:
                return tensor
        return func(*args, **(kwargs or {}))


@contextmanager
def meta_device() -> Iterator[None]:
    """Build modules inside the block on the meta device: shapes alone."""
    with torch.device("meta"), _WithoutInitialisation():
        yield


def built(make: Callable[[], nn.Module]) -> nn.Module:
    """Return what `make` gives, without memory for its weights where its code allows that."""
    try:
        with meta_device():
            return make()
    except (RuntimeError, NotImplementedError):  # a network that computes while it is built
        return make()
