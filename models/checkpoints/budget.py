"""Bound what the reading of one file may cost, in proportion to its size."""

from collections import Counter
from collections.abc import Sized
from typing import TypeVar

from models.checkpoints.pickles.records import BrokenFile

OBJECTS = "objects"
STEPS = "steps through its objects"
CHARACTERS = "characters of names and texts"
BYTES = "bytes of records"
NUMBERS = "numbers in its tensors"

STATE_DICT = "Save the network's own state_dict() with torch.save and give that file."
"""Advice for a file that is too odd to be read."""
_ALWAYS = {
    OBJECTS: 2_000_000,
    STEPS: 200_000,
    CHARACTERS: 1 << 25,
    BYTES: 1 << 26,
    NUMBERS: 1 << 25,
}
"""Limits of any file, however small: they keep it to seconds and some hundred megabytes."""
_PER_BYTE = {OBJECTS: 1 / 64, CHARACTERS: 1, BYTES: 4, NUMBERS: 4}
"""Additions to the limits for each byte of the file."""
_STEPS_PER_OBJECT = 4
"""Additional steps for each object of the file. A kilobyte can hold objects within each other so
that there are 2^100 ways through them; an honest file is walked a few times."""
_HOLES = 8
"""Factor by which a file may be larger than what of it lies on the disk."""

Items = TypeVar("Items", bound=Sized)


class Budget:
    """Count what one file costs: objects made, steps through them, characters, bytes, numbers.

    >>> Budget(64).spend(OBJECTS, 3_000_000)
    Traceback (most recent call last):
    models.checkpoints.pickles.records.BrokenFile: reading its 64 bytes takes over 2,000,001 objects
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._spent: Counter[str] = Counter()

    def spend(self, what: str, amount: int = 1) -> None:
        """Count `amount` more of `what`; BrokenFile beyond the limit of it."""
        self._spent[what] += amount
        if self._spent[what] > _ALWAYS[what] and self._spent[what] > self._limit(what):
            raise BrokenFile(
                f"reading its {self._size:,} bytes takes over {self._limit(what):,} {what}",
                STATE_DICT,
            )

    def _limit(self, what: str) -> int:
        if what == STEPS:
            return _ALWAYS[what] + _STEPS_PER_OBJECT * self._spent[OBJECTS]
        return _ALWAYS[what] + int(_PER_BYTE[what] * self._size)

    def visited(self, items: Items) -> Items:
        """Return `items`, each of which is a step."""
        self.spend(STEPS, len(items))
        return items

    def joined(self, names: tuple[str, ...], between: str = "/") -> str:
        """Return the name of an entry within entries, whose characters count."""
        self.spend(CHARACTERS, sum(map(len, names)))
        return between.join(names)


def budget_for(size: int, stored: int) -> Budget:
    """Return the budget of a file of `size` bytes, of which `stored` lie on the disk.

    `stored` is 0 where the file system does not tell. Raises BrokenFile for a file of holes, as a
    download leaves that did not finish.
    """
    if stored and size > _ALWAYS[BYTES] + _HOLES * stored:
        raise BrokenFile(f"it has {size:,} bytes, but all but {stored:,} of them are holes")
    return Budget(size)
