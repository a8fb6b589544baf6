"""Interpret a pickle, building nothing but plain data and inert records.

`pickletools.genops` of the standard library decodes the opcodes of protocols 0 to 5 without
acting on them; this module acts on them, within the rule of `policy.py`: no global is ever
imported, so nothing in the file can run.
"""

import pickletools
import warnings
from collections.abc import Callable
from typing import IO

from models.checkpoints.budget import OBJECTS, Budget
from models.checkpoints.pickles.policy import call, instantiate, resolve
from models.checkpoints.pickles.records import BrokenFile, Inert
from models.checkpoints.pickles.stack import PickleStack

_PUSH = frozenset(
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING "
    "UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8 SHORT_BINBYTES BINBYTES BINBYTES8 "
    "BYTEARRAY8".split()
)
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: dict[str, Callable[[], object]] = {
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_SET": list,  # nothing is looked up in a set, and hashing its items could take for ever
    "EMPTY_TUPLE": tuple,
}
_TUPLE_SIZES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_GET = frozenset({"GET", "BINGET", "LONG_BINGET"})
_PUT = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_NO_EFFECT = frozenset({"PROTO", "FRAME"})


class Unpickler(PickleStack):
    """Interpret one pickle. `persistent_load` turns a persistent id into a record."""

    def __init__(self, persistent_load: Callable[[object], object], budget: Budget) -> None:
        super().__init__()
        self._persistent_load = persistent_load
        self._budget = budget

    def load(self, source: IO[bytes]) -> object:
        """Interpret one pickle and leave `source` behind its STOP.

        Raises RefusedGlobal, BrokenFile, and for undecodable bytes the built-in errors of
        `DECODING_ERRORS`.
        """
        with warnings.catch_warnings():  # pickletools warns of escapes that it does not know
            warnings.simplefilter("ignore", DeprecationWarning)
            return self._run(source)

    def _run(self, source: IO[bytes]) -> object:
        for opcode, arg, _ in pickletools.genops(source):
            self._budget.spend(OBJECTS)
            if opcode.name == "STOP":
                return self.stack.pop()
            self._step(opcode.name, arg)
        raise BrokenFile("its pickle has no end")

    def _step(self, name: str, arg: object) -> None:
        if name in _PUSH:
            self.stack.append(arg)
        elif name in _GET:
            self.stack.append(self.memo[arg])  # type: ignore[index]
        elif name in _PUT:
            self._put(arg)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            self.stack.append(_EMPTY[name]())
        elif name in _TUPLE_SIZES:
            self.stack.append(tuple(self.take(_TUPLE_SIZES[name])))
        elif name not in _NO_EFFECT:
            handler = _HANDLERS.get(name)
            if handler is None:
                raise BrokenFile(f"its pickle uses {name}, which checkpoints do not have")
            handler(self, arg)

    def _global(self, arg: object) -> None:
        module, _, name = str(arg).partition(" ")
        self.stack.append(resolve(module, name))

    def _stack_global(self, _: object) -> None:
        module, name = self.take(2)
        if not (isinstance(module, str) and isinstance(name, str)):
            raise BrokenFile("its pickle names a class by something that is no text")
        self.stack.append(resolve(module, name))

    def _put(self, arg: object) -> None:
        # Larger numbers could be made to collide.
        if not isinstance(arg, int) or arg.bit_length() > 32:
            raise BrokenFile("its pickle numbers its objects in a way that none does")
        self.memo[arg] = self.stack[-1]

    def _reduce(self, _: object) -> None:
        function, args = self.take(2)
        self.stack.append(call(function, self._counted(args)))

    def _newobj(self, _: object) -> None:
        cls, args = self.take(2)
        self.stack.append(instantiate(cls, self._counted(args)))

    def _newobj_ex(self, _: object) -> None:
        cls, args, _keywords = self.take(3)
        self.stack.append(instantiate(cls, self._counted(args)))

    def _inst(self, arg: object) -> None:
        module, _, name = str(arg).partition(" ")
        args = tuple(self.to_mark())
        self.stack.append(call(resolve(module, name), args))

    def _obj(self, _: object) -> None:
        cls, *args = self.to_mark()
        self.stack.append(call(cls, tuple(args)))

    def _counted(self, args: object) -> tuple[object, ...]:
        """Return the arguments of a call, which many calls may share."""
        if not isinstance(args, tuple):
            raise BrokenFile("its pickle calls something with arguments that are no tuple")
        self._budget.spend(OBJECTS, len(args))
        return args

    def _build(self, _: object) -> None:
        target, state = self.take(2)
        if isinstance(target, Inert):
            target.state = state
        self.stack.append(target)  # a state given to plain data or a tensor has no meaning here

    def _persid(self, arg: object) -> None:
        self.stack.append(self._persistent_load(arg))

    def _binpersid(self, _: object) -> None:
        self.stack.append(self._persistent_load(self.stack.pop()))


_HANDLERS: dict[str, Callable[[Unpickler, object], object]] = {
    "MARK": lambda machine, _: machine.mark(),
    "POP": lambda machine, _: machine.pop(),
    "POP_MARK": lambda machine, _: machine.to_mark(),
    "DUP": lambda machine, _: machine.stack.append(machine.stack[-1]),
    "MEMOIZE": lambda machine, _: machine.memoize(),
    "TUPLE": lambda machine, _: machine.collect(tuple),
    "LIST": lambda machine, _: machine.collect(list),
    "DICT": lambda machine, _: machine.collect_dict(),
    "FROZENSET": lambda machine, _: machine.collect(list),
    "APPEND": lambda machine, _: machine.extend(machine.take(1)),
    "APPENDS": lambda machine, _: machine.extend(machine.to_mark()),
    "ADDITEMS": lambda machine, _: machine.extend(machine.to_mark()),
    "SETITEM": lambda machine, _: machine.set_items(machine.take(2)),
    "SETITEMS": lambda machine, _: machine.set_items(machine.to_mark()),
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
"""Errors that bytes which are no pickle provoke in `pickletools` and in the interpreter."""
