"""Reduce facts beside the weights to None, bool, int, float, str, list and dict."""

from collections.abc import Mapping
from typing import Any

from models.checkpoints.pickles.records import Global, Inert

_MAX_DEPTH = 12
_MAX_ITEMS = 20_000
_MAX_TEXT = 10_000


class Unconvertible(Exception):
    """Tell that a value is no plain fact: a tensor, an opaque object."""


def plain(value: object) -> object:
    """Return `value` as plain Python data; what has no plain form is left out of its container.

    Raises Unconvertible when nothing of `value` is plain. Enum members become their value,
    paths their text, namespaces and OmegaConf containers dicts, dtypes and classes their name.
    """
    return _Converter().convert(value, 0)


class _Converter:
    def __init__(self) -> None:
        self._left = _MAX_ITEMS

    def convert(self, value: object, depth: int) -> object:
        self._left -= 1
        if depth > _MAX_DEPTH or self._left < 0:
            raise Unconvertible
        if value is None or isinstance(value, bool | float):
            return value
        if isinstance(value, int):
            if value.bit_length() > 63:
                raise Unconvertible
            return value
        if isinstance(value, str):
            return value[:_MAX_TEXT]
        if isinstance(value, Global):
            return str(value)
        if isinstance(value, dict):
            return self._dict(value, depth)
        if isinstance(value, list | tuple | set | frozenset):
            return self._list(list(value), depth)
        if isinstance(value, Inert):
            return self._object(value, depth)
        raise Unconvertible

    def _dict(self, value: Mapping[Any, object], depth: int) -> dict[str, object]:
        out: dict[str, object] = {}
        for key, item in value.items():
            self._left -= 1
            if self._left < 0:
                break
            if isinstance(key, str | int | float | None):
                try:
                    out[str(self.convert(key, depth + 1))] = self.convert(item, depth + 1)
                except Unconvertible:
                    continue
        if value and not out:
            raise Unconvertible
        return out

    def _list(self, value: list[object], depth: int) -> list[object]:
        return [self.convert(item, depth + 1) for item in value]

    def _object(self, value: Inert, depth: int) -> object:
        attributes = value.attributes()
        if value.cls.module == "pathlib":
            return "/".join(str(part) for part in value.args).replace("//", "/")
        if value.cls == Global("torch", "device"):
            return ":".join(str(part) for part in value.args)
        if value.cls == Global("_codecs", "encode"):
            raise Unconvertible  # bytes
        if value.cls == Global("builtins", "getattr"):
            return self.convert(value.args[1], depth + 1)
        if value.cls.module.startswith("omegaconf"):
            inner = attributes.get("_content", attributes.get("_val"))
            return self.convert(inner, depth + 1)
        if value.mapping:
            return self._dict(value.mapping, depth)
        if value.items:
            return self._list(value.items, depth)
        if attributes:
            public = {key: item for key, item in attributes.items() if not key.startswith("_")}
            return self._dict(public, depth)
        if len(value.args) == 1:
            return self.convert(value.args[0], depth + 1)
        raise Unconvertible
