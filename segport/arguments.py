"""Turn what a caller of the API gives into what the stages take, with nothing heavy imported."""

from __future__ import annotations

import contextlib
import functools
import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from models.common.cli import Progress, Stages, console, silent_console
from models.common.spelling import spelled
from models.custom.option import NamedModule, parse_named
from models.errors import InputError, SegportError
from validate.images.folders import photos_in

if TYPE_CHECKING:
    from torch import nn

    from models.custom.in_memory import ModuleInMemory

LIBRARIES = ("torch", "coremltools", "onnx", "onnxscript", "timm", "torchvision", "multiprocessing")
Place = str | PathLike[str]
P = ParamSpec("P")
R = TypeVar("R")


def with_keywords(function: Callable[P, R]) -> Callable[P, R]:
    """Have errors name an option as the function's keyword, `size=`, unless a command calls it."""

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except SegportError as error:
            if not kwargs.get("verbose"):
                error.args = (spelled(str(error), "keyword"),)
            raise

    return called


def text_of(value: Sequence[Any] | int | str | None, between: str = ",") -> str | None:
    """Return what the command line would be given for `value`.

    >>> text_of((512, 384), "x"), text_of(["torchscript", "onnx"]), text_of(256), text_of(None)
    ('512x384', 'torchscript,onnx', '256', None)
    """
    if value is None or isinstance(value, str | int):
        return value if value is None else str(value)
    return between.join(map(str, value))


def path_of(place: Place | None) -> Path | None:
    """Return the path, or None for none."""
    return None if place is None else Path(place)


def photos_of(samples: Place | None) -> Path | None:
    """Return the folder of samples. Raises InputError where it holds none."""
    if samples is not None:
        photos_in(Path(samples))
    return path_of(samples)


def module_of(
    model: str | nn.Module | None, model_args: Mapping[str, Any] | str | None
) -> NamedModule | None:
    """Return the user's network: named by its code, or a copy of the one in memory."""
    if model is None or isinstance(model, str):
        text = json.dumps(dict(model_args)) if isinstance(model_args, Mapping) else model_args
        return parse_named(model, text)
    return _in_memory(model)


def origin_of(model_or_path: object) -> Path | ModuleInMemory:
    """Return a checkpoint's path, or a copy of a network in memory."""
    if isinstance(model_or_path, str | PathLike):
        return Path(model_or_path)
    return _in_memory(model_or_path)


def _in_memory(model: object) -> ModuleInMemory:
    from torch import nn

    from models.custom.in_memory import in_memory

    if not isinstance(model, nn.Module):
        raise InputError(
            f"A {type(model).__name__} cannot be exported: give the path of a checkpoint, or a "
            "torch.nn.Module."
        )
    return in_memory(model)


def stages_for(progress: Progress | None, *, verbose: bool) -> Stages:
    """Return stages that print as a command does, or tell `progress` alone."""
    return Stages(console() if verbose else silent_console(), progress)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Run on the CPU whatever torch's defaults are, and leave its random numbers as they were.

    What libraries have to say of their own future is not shown.
    """
    import torch

    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", module=rf"({'|'.join(LIBRARIES)})(\.|$)")
        stack.enter_context(torch.random.fork_rng(devices=[]))
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(False))
        if torch.is_autocast_enabled("cpu"):
            stack.enter_context(torch.autocast("cpu", enabled=False))
        yield
