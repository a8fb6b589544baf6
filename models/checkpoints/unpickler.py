"""Interpret a pickle, building nothing but plain data and inert records.

`pickletools.genops` of the standard library decodes the opcodes of protocols 0 to 5 without
acting on them; this module acts on them, within the rule of `trusted.py`: no global is ever
imported, so nothing in the file can run.
"""

from __future__ import annotations

import pickletools
import warnings
from collections.abc import Callable
from typing import IO, Protocol

from models.checkpoints.pickle_policy import call, instantiate, resolve
from models.checkpoints.records import BrokenFile, Inert, hashable

MAX_OPCODES = 4_000_000
"""Beyond any real checkpoint; keeps a crafted pickle from filling the memory."""

_PUSH = frozenset(
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING "
    "UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8 SHORT_BINBYTES BINBYTES BINBYTES8 "
    "BYTEARRAY8".split()
)
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: dict[str, Callable[[], object]] = {
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_SET": set,
    "EMPTY_TUPLE": tuple,
}
_TUPLE_SIZES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_GET = frozenset({"GET", "BINGET", "LONG_BINGET"})
_PUT = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_NO_EFFECT = frozenset({"PROTO", "FRAME"})


class Readable(Protocol):
    """Give bytes from a position on: a `BytesIO` or a file."""

    def read(self, n: int = ..., /) -> bytes:
        """Return the next `n` bytes, fewer at the end."""

    def readline(self) -> bytes:
        """Return the bytes up to and including the next newline."""


class Unpickler:
    """Run over one pickle. `persistent_load` turns a persistent id into a record."""

    def __init__(self, persistent_load: Callable[[object], object]) -> None:
        self._persistent_load = persistent_load
        self._stack: list[object] = []
        self._marks: list[list[object]] = []
        self._memo: dict[int, object] = {}

    def load(self, source: Readable | IO[bytes]) -> object:
        """Interpret one pickle and leave `source` behind its STOP.

        Raises RefusedGlobal, BrokenFile, and for undecodable bytes the built-in errors of
        `DECODING_ERRORS`.
        """
        with warnings.catch_warnings():  # pickletools warns of escapes that it does not know
            warnings.simplefilter("ignore", DeprecationWarning)
            return self._run(source)

    def _run(self, source: Readable | IO[bytes]) -> object:
        for count, (opcode, arg, _) in enumerate(pickletools.genops(source)):  # type: ignore[arg-type]
            if count > MAX_OPCODES:
                raise BrokenFile(f"its pickle has more than {MAX_OPCODES:,} instructions")
            if opcode.name == "STOP":
                return self._stack.pop()
            self._step(opcode.name, arg)
        raise BrokenFile("its pickle has no end")

    def _step(self, name: str, arg: object) -> None:
        if name in _PUSH:
            self._stack.append(arg)
        elif name in _GET:
            self._stack.append(self._memo[arg])  # type: ignore[index]
        elif name in _PUT:
            self._memo[arg] = self._stack[-1]  # type: ignore[index]
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            self._stack.append(_EMPTY[name]())
        elif name in _TUPLE_SIZES:
            self._stack.append(tuple(self._take(_TUPLE_SIZES[name])))
        elif name not in _NO_EFFECT:
            handler = _HANDLERS.get(name)
            if handler is None:
                raise BrokenFile(f"its pickle uses {name}, which checkpoints do not have")
            handler(self, arg)

    def _take(self, n: int) -> list[object]:
        if len(self._stack) < n:
            raise BrokenFile("its pickle takes more values than it has")
        taken = self._stack[-n:]
        del self._stack[-n:]
        return taken

    def _mark(self, _: object) -> None:
        self._marks.append(self._stack)
        self._stack = []

    def _to_mark(self) -> list[object]:
        items, self._stack = self._stack, self._marks.pop()
        return items

    def _pop(self, _: object) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._to_mark()

    def _pop_mark(self, _: object) -> None:
        self._to_mark()

    def _memoize(self, _: object) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def _tuple(self, _: object) -> None:
        items = self._to_mark()
        self._stack.append(tuple(items))

    def _list(self, _: object) -> None:
        items = self._to_mark()
        self._stack.append(items)

    def _dict(self, _: object) -> None:
        items = self._to_mark()
        self._stack.append({})
        self._set_items(items)

    def _frozenset(self, _: object) -> None:
        items = self._to_mark()
        self._stack.append(frozenset(hashable(item) for item in items))

    def _extend(self, items: list[object]) -> None:
        target = self._stack[-1]
        if isinstance(target, Inert):
            target = target.items
        if isinstance(target, set):
            target.update(hashable(item) for item in items)
        elif isinstance(target, list):
            target.extend(items)
        else:
            raise BrokenFile("its pickle appends to something that is no list")

    def _set_items(self, items: list[object]) -> None:
        target = self._stack[-1]
        if isinstance(target, Inert):
            target = target.mapping
        if not isinstance(target, dict) or len(items) % 2:
            raise BrokenFile("its pickle stores keys in something that is no dict")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[hashable(key)] = value

    def _global(self, arg: object) -> None:
        module, _, name = str(arg).partition(" ")
        self._stack.append(resolve(module, name))

    def _stack_global(self, _: object) -> None:
        module, name = self._take(2)
        if not (isinstance(module, str) and isinstance(name, str)):
            raise BrokenFile("its pickle names a class by something that is no text")
        self._stack.append(resolve(module, name))

    def _reduce(self, _: object) -> None:
        function, args = self._take(2)
        self._stack.append(call(function, args))

    def _newobj(self, _: object) -> None:
        cls, args = self._take(2)
        self._stack.append(instantiate(cls, args))

    def _newobj_ex(self, _: object) -> None:
        cls, args, _keywords = self._take(3)
        self._stack.append(instantiate(cls, args))

    def _inst(self, arg: object) -> None:
        module, _, name = str(arg).partition(" ")
        args = tuple(self._to_mark())
        self._stack.append(call(resolve(module, name), args))

    def _obj(self, _: object) -> None:
        cls, *args = self._to_mark()
        self._stack.append(call(cls, tuple(args)))

    def _build(self, _: object) -> None:
        target, state = self._take(2)
        if isinstance(target, Inert):
            target.state = state
        self._stack.append(target)  # a state given to plain data or a tensor has no meaning here

    def _persid(self, arg: object) -> None:
        self._stack.append(self._persistent_load(arg))

    def _binpersid(self, _: object) -> None:
        self._stack.append(self._persistent_load(self._stack.pop()))


_HANDLERS: dict[str, Callable[[Unpickler, object], None]] = {
    "MARK": Unpickler._mark,
    "POP": Unpickler._pop,
    "POP_MARK": Unpickler._pop_mark,
    "DUP": lambda machine, _: machine._stack.append(machine._stack[-1]),
    "MEMOIZE": Unpickler._memoize,
    "TUPLE": Unpickler._tuple,
    "LIST": Unpickler._list,
    "DICT": Unpickler._dict,
    "FROZENSET": Unpickler._frozenset,
    "APPEND": lambda machine, _: machine._extend(machine._take(1)),
    "APPENDS": lambda machine, _: machine._extend(machine._to_mark()),
    "ADDITEMS": lambda machine, _: machine._extend(machine._to_mark()),
    "SETITEM": lambda machine, _: machine._set_items(machine._take(2)),
    "SETITEMS": lambda machine, _: machine._set_items(machine._to_mark()),
    "GLOBAL": Unpickler._global,
    "STACK_GLOBAL": Unpickler._stack_global,
    "REDUCE": Unpickler._reduce,
    "NEWOBJ": Unpickler._newobj,
    "NEWOBJ_EX": Unpickler._newobj_ex,
    "INST": Unpickler._inst,
    "OBJ": Unpickler._obj,
    "BUILD": Unpickler._build,
    "PERSID": Unpickler._persid,
    "BINPERSID": Unpickler._binpersid,
}

DECODING_ERRORS = (
    ValueError,  # also UnicodeDecodeError
    LookupError,
    TypeError,
    EOFError,
    OverflowError,
    RecursionError,
    MemoryError,
)
"""What bytes that are no pickle provoke in `pickletools` and in the stack machine."""
