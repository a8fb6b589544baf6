"""Decide what a name in a pickle may do. Names are never imported.

1. A name in `REBUILD` runs this package's own function of that name, which only makes records.
2. Any other name of a third-party module is a placeholder. An object of it may be created and
   given a state; it may be *called* only when its name is in CapWords, so a class such as an enum.
3. Everything else is refused by name: any other name of the standard library (`os.system`,
   `builtins.eval`, `subprocess.Popen`), even if it is only mentioned, and any call of a
   third-party function (`torch.hub.load`).
"""

import re
import sys

from models.checkpoints.pickles.allowed_names import REBUILD, TORCH_REFERENCES
from models.checkpoints.pickles.records import BrokenFile, Global, Inert, RefusedGlobal

_FORMER_STDLIB = frozenset(
    "__builtin__ asyncore asynchat cPickle cStringIO commands copy_reg distutils exceptions "
    "httplib imp os2 popen2 smtpd StringIO test urllib2".split()
)
"""Modules that left the standard library, or had another name in Python 2: refused as it is."""

_ALIASES = {
    "__builtin__": "builtins",
    "copy_reg": "copyreg",
    "numpy._core.multiarray": "numpy.core.multiarray",
    "numpy._core.numeric": "numpy.core.numeric",
    "pathlib._local": "pathlib",
}
_LONGEST_NAME = 1000
_CLASS_NAME = re.compile(r"_*[A-Z]\w*")
"""CapWords: the last part of a name that may be called."""


def resolve(module: str, name: str) -> Global:
    """Return the record for a name.

    Raises RefusedGlobal for a name of the standard library that is not in the tables, BrokenFile
    for one that is too long to be a name.

    >>> str(resolve("net", "Unet")), str(resolve("copy_reg", "_reconstructor"))
    ('net.Unet', 'copyreg._reconstructor')
    >>> resolve("os", "system")
    Traceback (most recent call last):
    models.checkpoints.pickles.records.RefusedGlobal: use os.system
    """
    if len(module) + len(name) > _LONGEST_NAME:
        raise BrokenFile(f"its pickle names a class by {len(module) + len(name):,} characters")
    module = _ALIASES.get(module, module)
    found = Global(module, name)
    if found in REBUILD or found in TORCH_REFERENCES:
        return found
    top = module.partition(".")[0]
    if not top or top in sys.stdlib_module_names or top in _FORMER_STDLIB:
        raise RefusedGlobal(f"use {found}")
    return found


def call(function: object, args: tuple[object, ...]) -> object:
    """Return the result of `function(*args)`, which REDUCE, INST and OBJ want, within the rule.

    Raises RefusedGlobal for what the rule forbids, BrokenFile for what is no call.
    """
    if isinstance(function, Inert):
        raise RefusedGlobal(f"call {_describe(function)}")
    if not isinstance(function, Global):
        raise BrokenFile(f"its pickle calls a {type(function).__name__}")
    if function in REBUILD:
        return _rebuild(function, args)
    if _CLASS_NAME.fullmatch(function.name.rpartition(".")[2]):
        return Inert(function, args)
    raise RefusedGlobal(f"call {function}")


def instantiate(cls: object, args: tuple[object, ...]) -> object:
    """Return an object of `cls` that no constructor has run for, as NEWOBJ wants it."""
    if not isinstance(cls, Global):
        raise BrokenFile(f"its pickle makes an object of a {type(cls).__name__}")
    return _rebuild(cls, args) if cls in REBUILD else Inert(cls, args)


def _rebuild(function: Global, args: tuple[object, ...]) -> object:
    if function in _CALLING:
        return _CALLING[function](function, args)
    return REBUILD[function](function, args)


def _describe(value: Inert) -> str:
    """Name an object for the user: by its class, or by the attribute that it stands for."""
    if value.cls != Global("builtins", "getattr"):
        return f"an object of {value.cls}"
    owner, name = value.args
    return f"{_describe(owner) if isinstance(owner, Inert) else owner}.{name}"


def _from_type(_: Global, args: tuple[object, ...]) -> object:
    """Rebuild a tensor subclass: torch._tensor._rebuild_from_type_v2(func, type, args, state)."""
    function, _cls, inner, *_state = args
    if not isinstance(inner, tuple):
        raise BrokenFile("its pickle calls something with arguments that are no tuple")
    return call(function, inner)


def _new_object(function: Global, args: tuple[object, ...]) -> object:
    """Make an object as copyreg does in protocols 0 and 1, and with keywords."""
    cls, *rest = args
    if function.name == "_reconstructor":
        _base, state = rest
        rest = [] if state is None else [state]
    return instantiate(cls, tuple(rest))


_CALLING = {
    Global("torch._tensor", "_rebuild_from_type_v2"): _from_type,
    Global("torch._tensor", "_rebuild_from_type"): _from_type,
    Global("copyreg", "_reconstructor"): _new_object,
    Global("copyreg", "__newobj__"): _new_object,
}
