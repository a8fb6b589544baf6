"""Hold the stack, marks and memo of a pickle that is being interpreted."""

from collections.abc import Callable

from models.checkpoints.pickles.records import BrokenFile, Inert, as_key


class PickleStack:
    """Act on the values of a pickle as its opcodes say, objects left aside."""

    def __init__(self) -> None:
        self.stack: list[object] = []
        self.memo: dict[int, object] = {}
        self._below_marks: list[list[object]] = []

    def take(self, n: int) -> list[object]:
        """Remove the `n` topmost values and return them; BrokenFile where there are fewer."""
        if len(self.stack) < n:
            raise BrokenFile("its pickle takes more values than it has")
        taken = self.stack[-n:]
        del self.stack[-n:]
        return taken

    def mark(self) -> None:
        """Set a mark on top of the stack."""
        self._below_marks.append(self.stack)
        self.stack = []

    def to_mark(self) -> list[object]:
        """Remove the last mark and the values above it, and return the values."""
        items, self.stack = self.stack, self._below_marks.pop()
        return items

    def pop(self) -> None:
        """Drop the topmost value, or the mark where that is on top."""
        if self.stack:
            self.stack.pop()
        else:
            self.to_mark()

    def memoize(self) -> None:
        """Remember the topmost value under the next free number."""
        self.memo[len(self.memo)] = self.stack[-1]

    def collect(self, make: Callable[[list[object]], object]) -> None:
        """Replace the values above the mark by what `make` gives for them."""
        items = self.to_mark()
        self.stack.append(make(items))

    def collect_dict(self) -> None:
        """Replace the keys and values above the mark by a dict of them."""
        items = self.to_mark()
        self.stack.append({})
        self.set_items(items)

    def extend(self, items: list[object]) -> None:
        """Append `items` to the list, or the set kept as one, or the object on top."""
        target = self.stack[-1]
        if isinstance(target, Inert):
            target = target.items
        if not isinstance(target, list):
            raise BrokenFile("its pickle appends to something that is no list")
        target.extend(items)

    def set_items(self, items: list[object]) -> None:
        """Store `items`, keys and values in turn, in the dict or object on top."""
        target = self.stack[-1]
        if isinstance(target, Inert):
            target = target.mapping
        if not isinstance(target, dict) or len(items) % 2:
            raise BrokenFile("its pickle stores keys in something that is no dict")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[as_key(key)] = value
