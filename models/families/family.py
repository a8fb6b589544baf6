"""Describe what recognises and builds the networks of one kind."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from torch import nn

from models.specification import Choices, Shapes, Specification

Renamed = Callable[[Iterable[str], Specification], dict[str, str]]


def _nothing_ignored(_key: str) -> str | None:
    return None


def _nothing_renamed(_keys: Iterable[str], _specification: Specification) -> dict[str, str]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Family:
    """Recognise and build the networks of one kind.

    name        what people call them
    parts       regular expressions, each of which matches the start of some of their keys
    recognise   the specification that shapes belong to, or None where the keys are others'.
                Raises InputError where they are the family's but do not tell all
    build       the network of a specification, freshly initialised
    ignored     why a key of a checkpoint is not needed, or None
    renamed     network key → checkpoint key, where they differ
    """

    name: str
    parts: tuple[str, ...]
    recognise: Callable[[Shapes, Choices], Specification | None]
    build: Callable[[Specification], nn.Module]
    ignored: Callable[[str], str | None] = _nothing_ignored
    renamed: Renamed = _nothing_renamed
