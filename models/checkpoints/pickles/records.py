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
        parts = self._parts()
        return {key: value for part in parts for key, value in part.items() if type(key) is str}

    def attribute(self, name: str) -> object:
        """Return one attribute, or None, without copying all of them."""
        return next((part[name] for part in reversed(self._parts()) if name in part), None)

    def _parts(self) -> list[dict[object, object]]:
        state = self.state
        if isinstance(state, tuple) and len(state) == 2:  # (__dict__, __slots__ values)
            return [part for part in state if isinstance(part, dict)]
        return [state] if isinstance(state, dict) else []


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


def as_key(value: object) -> object:
    """Return what stands for `value` as the key of a dict, so that a lookup costs nothing.

    Texts and small integers stay, other numbers become text. A tuple, or whatever else, becomes an
    object of its own: crafted keys can collide or nest so that hashing them never ends, and no
    weights or facts are looked up by such keys.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and value.bit_length() <= 128:
        return value if value.bit_length() <= 32 else str(value)
    return str(value) if isinstance(value, float) else object()
