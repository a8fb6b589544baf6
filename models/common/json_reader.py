"""Read JSON that somebody else may have written, within limits that are checked before it is built.

Python's own reader recurses as deep as a text tells it to, takes the last of two equal keys, and
knows NaN and Infinity, which JSON has not.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NoReturn

from models.common.paths import read_bytes

MOST_BYTES: Final = 64 << 20
DEEPEST: Final = 64
"""Objects and lists inside each other."""
MOST_TOKENS: Final = 2_000_000
"""Strings, brackets and commas, each of which takes memory that is many times its length."""
LONGEST_NUMBER: Final = 40
"""Characters of a number: those of float64 have 24."""
_TOKEN: Final = re.compile(r'([\[{])|([\]}])|,|"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)', re.DOTALL)


def read_json(path: Path) -> Any:
    """Return the JSON document in `path`. Raises OSError or ValueError, in a few words."""
    return parse_json(read_bytes(path, MOST_BYTES))


def parse_json(text: str | bytes, *, finite: bool = True) -> Any:
    """Return the JSON document in `text`; with `finite`, NaN and Infinity are refused.

    Raises ValueError, in a few words, for what is no JSON, repeats a key, or passes a limit.

    >>> parse_json('{"classes": [2, 3.5]}')
    {'classes': [2, 3.5]}
    """
    if len(text) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES:,} bytes")
    if isinstance(text, bytes):
        text = text.decode("utf-8")  # json.loads would guess other encodings
    _require_shallow(text)
    return json.loads(
        text,
        object_pairs_hook=_without_repeats,
        parse_int=_integer,
        parse_float=_number,
        parse_constant=_refuse_constant if finite else None,
    )


def _require_shallow(text: str) -> None:
    depth = 0
    for count, token in enumerate(_TOKEN.finditer(text)):
        depth += (token[1] is not None) - (token[2] is not None)
        if depth > DEEPEST:
            raise ValueError(f"it is nested more than {DEEPEST} deep")
        if count >= MOST_TOKENS:
            raise ValueError(f"it has more than {MOST_TOKENS:,} values")


def _without_repeats(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"it has the key {key[:40]!r} twice")
        found[key] = value
    return found


def _integer(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"it has a number of {len(text):,} digits")
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"it has a number that is too large, {text[:LONGEST_NUMBER]}")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"it has {name}, which JSON has not")
