"""Import large libraries without what they import in turn and Segport does not use.

without_dynamo     torchvision and timm import torch._dynamo, which takes as long as torch, for a
                   decorator and a check that only compiled networks need
without            coremltools tries to import scikit-learn, which takes as long, for its converters
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


@contextmanager
def without(name: str) -> Iterator[None]:
    """Let an import of `name` fail in the block, as if the library were not installed."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]


@contextmanager
def without_dynamo() -> Iterator[None]:
    """Import torch._dynamo in the block only where more of it is needed than two functions."""
    if DYNAMO not in sys.modules:
        sys.modules.update({name: _StandIn(name) for name in FUNCTIONS})
    try:
        yield
    finally:
        _remove_stand_ins()


class _StandIn(ModuleType):
    """Stand in for a module, which is imported when another attribute is asked for."""

    def __init__(self, name: str):
        super().__init__(name)
        self.__path__: list[str] = []
        self.__dict__.update(FUNCTIONS[name])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what the import system asks of every module
            raise AttributeError(name)
        _remove_stand_ins()
        return getattr(import_module(self.__name__), name)


def _remove_stand_ins() -> None:
    for name in FUNCTIONS:
        if isinstance(sys.modules.get(name), _StandIn):
            del sys.modules[name]


def _disable(function: Callable[..., Any] | None = None, *_: object, **__: object) -> Any:
    """Return `function` as it is: nothing is compiled here that it could be left out of."""
    return _disable if function is None else function


def _is_compile_supported(device: str) -> bool:
    from torch._dynamo.utils import is_compile_supported

    return bool(is_compile_supported(device))


DYNAMO = "torch._dynamo"
FUNCTIONS: Mapping[str, Mapping[str, Callable[..., Any]]] = {
    DYNAMO: {"disable": _disable},
    f"{DYNAMO}.utils": {"is_compile_supported": _is_compile_supported},
}
