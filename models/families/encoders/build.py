"""Build smp's encoders without memory for their weights, and describe them for the catalogue."""

import models.torchvision_shim  # noqa: F401

import hashlib
import inspect
import logging
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, cast

from torch import nn

from models.common.lean_imports import without_dynamo

with without_dynamo():
    import timm
    from segmentation_models_pytorch.encoders import TimmViTEncoder, encoders, get_encoder

from models.common.text import first_line
from models.errors import InputError
from models.families.encoders.catalogue import COUNTER, TIMM, UNIVERSAL, CatalogueEntry, signature
from models.meta_device import built

DEPTHS = (5, 4, 3)
TOKENS_DEPTH = 4
UNBUILDABLE: tuple[type[Exception], ...] = (
    *(ValueError, RuntimeError, TypeError, KeyError, IndexError, AssertionError),
    *(AttributeError, NotImplementedError),
)
"""Errors by which smp and timm refuse to build a network."""
IDLE = re.compile(
    r"training|.*drop.*|p|inplace|grad_checkpointing|.*_cfg|name|in_channels|in_chans"
)
"""Attributes that do not change what a layer computes in evaluation mode."""
GRID = re.compile(
    r"img_size|grid_size|feat_size|num_patches|.*seq_len|window_(size|area)|num_rel\w+"
)
"""Attributes of a vision transformer that follow from the picture's size, as its tensors do."""


def is_known(name: str) -> bool:
    """Return whether smp offers an encoder called `name`, its own or one of timm."""
    timms = name.removeprefix(TIMM).split(".", maxsplit=1)[0]
    return name in encoders or (name.startswith(TIMM) and timm.is_model(timms))


def build(name: str, in_channels: int, depth: int) -> nn.Module:
    """Return encoder `name` as smp's convolutional decoders have it."""
    asked = {"in_channels": in_channels, "depth": depth, "weights": None}
    return _built(lambda: cast(nn.Module, get_encoder(name, **asked)))


def build_tokens(name: str, in_channels: int) -> nn.Module:
    """Return vision transformer `name` as DPT has it, without its classifier.

    Raises ValueError for other networks.
    """

    def make() -> nn.Module:
        asked = {"in_channels": in_channels, "depth": TOKENS_DEPTH, "num_classes": 0}
        timms = name.removeprefix(TIMM)
        return cast(nn.Module, TimmViTEncoder(timms, pretrained=False, **asked))

    encoder = cast(Any, _built(make))
    taken = inspect.signature(encoder.model.forward_intermediates).parameters
    if len(set(encoder.output_strides)) > 1 or "return_prefix_tokens" not in taken:
        raise ValueError(f"{name} is no plain vision transformer.")
    return cast(nn.Module, encoder)


def shapes_of(encoder: nn.Module) -> dict[str, tuple[int, ...]]:
    """Return names and shapes of the tensors of `encoder`, batch norm counters left out."""
    state = encoder.state_dict()
    return {key: tuple(t.shape) for key, t in state.items() if not key.endswith(COUNTER)}


def describe(name: str) -> CatalogueEntry:
    """Return the catalogue's entry for encoder `name`; ValueError when smp has no use for it."""
    variants = dict(_variants(name))
    if not variants:
        encoder = build_tokens(name, 3)
        return _entry({0: encoder}, build_tokens(name, 4), tokens=True)
    return _entry(variants, build(name, 4, min(variants)), tokens=False)


def describe_if_known(name: str) -> CatalogueEntry | None:
    """Return `describe(name)`, or None where neither smp nor timm knows `name`.

    Raises InputError where smp cannot use it.
    """
    if not is_known(name):
        return None
    try:
        return describe(name)
    except UNBUILDABLE as error:
        raise InputError(
            f"ENCODER={name} is a network of timm that smp cannot use: {first_line(error)}"
        ) from error


@cache
def tensor_shapes(name: str, depth: int) -> dict[str, tuple[int, ...]]:
    """Return `shapes_of` encoder `name` at `depth`, 0 for DPT's; none if it cannot be built."""
    try:
        return shapes_of(build(name, 3, depth) if depth else build_tokens(name, 3))
    except UNBUILDABLE:
        return {}


def meaning(encoder: nn.Module, tokens: bool) -> str:
    """Return a hash of all layers' kinds and settings: equal for encoders that compute the same."""
    facts = [
        (path, type(module).__qualname__, key, _setting(value))
        for path, module in encoder.named_modules()
        for key, value in sorted(vars(module).items())
        if not (IDLE.fullmatch(key) or (tokens and GRID.fullmatch(key))) and _setting(value)
    ]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:8]


def _setting(value: object) -> str:
    """Return what an attribute says of the computation; "" where it says nothing."""
    if isinstance(value, bool | int | float | str | tuple | None):
        return repr(value)
    return getattr(value, "__qualname__", "") if callable(value) else ""


def _variants(name: str) -> Iterator[tuple[int, nn.Module]]:
    for depth in DEPTHS:
        try:
            yield depth, build(name, 3, depth)
        except UNBUILDABLE as error:
            if "downsampling pattern" in str(error):
                return  # no depth will do


def _entry(variants: dict[int, nn.Module], wider: nn.Module, tokens: bool) -> CatalogueEntry:
    deepest = cast(Any, variants[max(variants)])
    shapes, shallow = shapes_of(deepest), shapes_of(variants[min(variants)])
    stem = tuple(key for key, shape in shapes_of(wider).items() if shape != shallow[key])
    signatures: dict[str, tuple[int, ...]] = {}
    for depth, encoder in sorted(variants.items()):
        key = signature(shapes_of(encoder), stem, tokens)
        signatures[key] = (*signatures.get(key, ()), depth)
    children = {key.removeprefix(UNIVERSAL).split(".")[0] for key in shapes}
    return CatalogueEntry(
        signatures=signatures,
        stem=stem,
        children=tuple(sorted(children)),
        tensors=len(shapes),
        channels=tuple(deepest.out_channels),
        meaning=meaning(deepest, tokens),
        tokens=tokens,
        side=_side(deepest, tokens),
    )


def _side(encoder: Any, tokens: bool) -> int:
    """Return height and width that the encoder is built for; 0 where it takes others as well."""
    told = timm.get_pretrained_cfg(encoder.name) if hasattr(encoder, "name") else None
    if told is None or not (tokens or told.fixed_input_size):
        return 0
    if getattr(encoder.model, "dynamic_img_size", False) and not hasattr(
        encoder.model, "pos_embed"
    ):
        return 0
    return int(told.input_size[-1])


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Silence smp's deprecation of its `timm-` names, and timm's list of heads that it drops."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _built(make: Callable[[], nn.Module]) -> nn.Module:
    with _without_warnings():
        return built(make)
