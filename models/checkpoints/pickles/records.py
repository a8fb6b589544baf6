"""Hold what the unpickler builds instead of living objects: records that can do nothing.

A pickle names classes and functions, creates objects of those classes and gives them a state.
Here a name stays a `Global`, an object becomes an `Inert`, and a tensor becomes a `StoredTensor`
that says where its numbers lie. Nothing is imported, and no method of a record runs file data.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Global:
    """Hold the name of a class or function, never the thing itself."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False, slots=True, repr=False)
class Inert:
    """Hold an object of an unknown class: how it was made and what it was given."""

    cls: Global
    args: tuple[object, ...] = ()
    state: object = None
    items: list[object] = field(default_factory=list)
    mapping: dict[object, object] = field(default_factory=dict)

    def attributes(self) -> dict[str, object]:
        """Return what would be the object's `__dict__`."""
        state = self.state
        if isinstance(state, tuple) and len(state) == 2:  # (__dict__, __slots__ values)
            parts = [part for part in state if isinstance(part, dict)]
        else:
            parts = [state] if isinstance(state, dict) else []
        return {key: value for part in parts for key, value in part.items() if type(key) is str}


@dataclass(frozen=True, slots=True)
class StorageRef:
    """Hold the place of numbers in the file: `numel` elements of `dtype`, `offset` elements in.

    `dtype` is the name in torch ("float32"), or "" for a storage that is bytes only.
    """

    key: str
    dtype: str
    numel: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """Hold a tensor that is not read yet: a strided view of a storage, counted in elements."""

    storage: StorageRef
    dtype: str
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class UnusableTensor:
    """Hold the reason why a tensor cannot become a dense array of real numbers."""

    reason: str


class RefusedGlobal(Exception):
    """Name what the pickle wants to run."""


class BrokenFile(Exception):
    """Say how the file contradicts itself or the rules of its format, and what to do."""

    def __init__(self, what: str, advice: str = "Copy or download it again.") -> None:
        super().__init__(what)
        self.advice = advice


def hashable(key: object, depth: int = 2) -> object:
    """Return `key` if it may be a key of a dict: hashing a crafted tuple could take forever.

    Raises BrokenFile for any other.
    """
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
    """Return text from a file as it may be printed: short, without control characters."""
    clean = "".join(c if c.isprintable() else "?" for c in str(text)[:400])
    return clean if len(str(text)) <= 400 else f"{clean}…"
