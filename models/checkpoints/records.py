"""What the unpickler builds instead of living objects: records that can do nothing.

A pickle names classes and functions, creates objects of those classes and gives them a state.
Here a name stays a `Global`, an object becomes an `Inert`, and a tensor becomes a `StoredTensor`
that says where its numbers lie. Nothing is imported, and no method of a record runs file data.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Global:
    """The name of a class or function, never the thing itself."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False, slots=True, repr=False)
class Inert:
    """An object of an unknown class: how it was made and what it was given."""

    cls: Global
    args: tuple[object, ...] = ()
    state: object = None
    items: list[object] = field(default_factory=list)
    mapping: dict[object, object] = field(default_factory=dict)

    def attributes(self) -> dict[str, object]:
        """What would be its `__dict__`."""
        state = self.state
        if isinstance(state, tuple) and len(state) == 2:  # (__dict__, __slots__ values)
            parts = [part for part in state if isinstance(part, dict)]
        else:
            parts = [state] if isinstance(state, dict) else []
        return {key: value for part in parts for key, value in part.items() if type(key) is str}


@dataclass(frozen=True, slots=True)
class StorageRef:
    """A run of numbers in the file: `numel` elements of `dtype`, from `offset` elements on.

    `dtype` is the name in torch ("float32"), or "" for a storage that is bytes only.
    """

    key: str
    dtype: str
    numel: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor that has not been read yet: a strided view of a storage, counted in elements."""

    storage: StorageRef
    dtype: str
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class UnusableTensor:
    """A tensor that cannot become a dense array of real numbers, and why."""

    reason: str


class RefusedGlobal(Exception):
    """The pickle wants to run something: the message names it."""


class BrokenFile(Exception):
    """The file contradicts itself or the rules of its format: the message says how."""

    def __init__(self, what: str, advice: str = "Copy or download it again.") -> None:
        super().__init__(what)
        self.advice = advice


def hashable(key: object, depth: int = 2) -> object:
    """`key`, if it may be a key of a dict: hashing a crafted tuple could take forever."""
    if isinstance(key, str | float | bytes | Global | Inert | None):
        return key
    if isinstance(key, int) and key.bit_length() <= 128:
        return key
    if isinstance(key, tuple) and depth and len(key) <= 64:
        for item in key:
            hashable(item, depth - 1)
        return key
    raise BrokenFile(f"its pickle uses a {type(key).__name__} as the key of a dict")


def shown(text: object) -> str:
    """Text from a file as it may be printed on a terminal: short, without control characters."""
    clean = "".join(c if c.isprintable() else "?" for c in str(text)[:400])
    return clean if len(str(text)) <= 400 else f"{clean}…"
