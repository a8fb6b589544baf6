"""Reduce facts beside the weights to None, bool, int, float, str, list and dict."""

from collections.abc import Mapping
from typing import Any

from models.checkpoints.budget import STEPS, Budget
from models.checkpoints.pickles.records import Global, Inert

_MAX_DEPTH = 12
_MAX_ITEMS = 20_000
_MAX_TEXT = 10_000


class Unconvertible(Exception):
    """Tell that a value is no plain fact: a tensor, an opaque object."""


def plain(value: object, budget: Budget) -> object:
    """Return `value` as plain Python data; what has no plain form is left out of its container.

    Raises Unconvertible when nothing of `value` is plain. Enum members become their value,
    paths their text, namespaces and OmegaConf containers dicts, dtypes and classes their name.
    """
    converter = _Converter(budget)
    try:
        return converter.convert(value, 0)
    finally:
        budget.spend(STEPS, _MAX_ITEMS - converter.left)


class _Converter:
    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.left = _MAX_ITEMS

    def convert(self, value: object, depth: int) -> object:
        self.left -= 1
        if depth > _MAX_DEPTH or self.left < 0:
            raise Unconvertible
        if value is None or isinstance(value, bool | float):
            return value
        if isinstance(value, int):
            if value.bit_length() > 63:
                raise Unconvertible
            return value
        if isinstance(value, str):
            return self._text((value,))
        if isinstance(value, Global):
            return self._text((value.module, ".", value.name))
        if isinstance(value, dict):
            return self._dict(value, depth)
        if isinstance(value, list | tuple):
            return [self.convert(item, depth + 1) for item in value]
        if isinstance(value, Inert):
            return self._object(value, depth)
        raise Unconvertible

    def _dict(self, value: Mapping[Any, object], depth: int) -> dict[str, object]:
        out: dict[str, object] = {}
        for key, item in value.items():
            self.left -= 1
            if self.left < 0:
                break
            if isinstance(key, str | int | float | None):
                try:
                    out[str(self.convert(key, depth + 1))] = self.convert(item, depth + 1)
                except Unconvertible:
                    continue
        if value and not out:
            raise Unconvertible
        return out

    def _text(self, parts: tuple[object, ...], between: str = "") -> str:
        """Return the texts and numbers in `parts` as one text, each cut after `_MAX_TEXT`.

        Raises Unconvertible for anything else: a tuple of tuples can be endless when written out.
        """
        texts = []
        for part in self._budget.visited(parts):
            if not isinstance(part, str) and not (isinstance(part, int) and part.bit_length() < 64):
                raise Unconvertible
            texts.append(str(part)[:_MAX_TEXT])
        return self._budget.joined(tuple(texts), between)

    def _object(self, value: Inert, depth: int) -> object:
        if value.cls.module == "pathlib":
            return self._text(value.args, "/").replace("//", "/")
        if value.cls == Global("torch", "device"):
            return self._text(value.args, ":")
        if value.cls == Global("_codecs", "encode"):
            raise Unconvertible  # bytes
        if value.cls == Global("builtins", "getattr"):
            return self.convert(value.args[1], depth + 1)
        attributes = self._budget.visited(value.attributes())
        if value.cls.module.startswith("omegaconf"):
            inner = attributes.get("_content", attributes.get("_val"))
            return self.convert(inner, depth + 1)
        if value.mapping:
            return self._dict(value.mapping, depth)
        if value.items:
            return self.convert(value.items, depth)
        if attributes:
            public = {key: item for key, item in attributes.items() if not key.startswith("_")}
            return self._dict(public, depth)
        if len(value.args) == 1:
            return self.convert(value.args[0], depth + 1)
        raise Unconvertible
