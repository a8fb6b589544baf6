"""Our own versions of the functions that honest checkpoints call, by the name they ask for.

Each takes the name and the arguments from the file, checks them, and returns plain data or an
inert record. Wrong arguments raise BrokenFile, or ValueError and TypeError from unpacking them.
"""

from __future__ import annotations

from collections.abc import Callable

from models.checkpoints.records import (
    BrokenFile,
    Global,
    Inert,
    RefusedGlobal,
    StorageRef,
    StoredTensor,
    UnusableTensor,
    hashable,
)

Args = tuple[object, ...]
Rebuilder = Callable[[Global, Args], object]


def inert(function: Global, args: Args) -> object:
    """An object that is only kept, never looked into."""
    return Inert(function, args)


def first(_: Global, args: Args) -> object:
    """A wrapper around its first argument: a Parameter around its tensor."""
    return args[0]


def mapping(_: Global, args: Args) -> object:
    """OrderedDict(pairs), Counter(dict), defaultdict(factory, pairs).

    A dict is passed on and pairs are moved, so that a crafted pickle cannot multiply them.
    """
    source = args[-1] if args else None
    if isinstance(source, dict):
        return source
    if not isinstance(source, list):
        return {}
    made = {hashable(key): value for key, value in source}
    source.clear()
    return made


def collection(function: Global, args: Args) -> object:
    """list, tuple, set, frozenset, deque or Size of a collection, which is passed on as it is."""
    source = args[0] if args else []
    if not isinstance(source, list | tuple | set | frozenset | dict):
        raise BrokenFile(f"its pickle makes a {function.name} of a {type(source).__name__}")
    return source


def scalar(function: Global, args: Args) -> object:
    """int, float, bool or str of a number or text."""
    if not args:
        return {"int": 0, "float": 0.0, "bool": False, "str": ""}[function.name]
    if not isinstance(args[0], bool | int | float | str):
        raise BrokenFile(f"its pickle makes a {function.name} of a {type(args[0]).__name__}")
    kinds: dict[str, Callable[[bool | int | float | str], object]]
    kinds = {"int": int, "float": float, "bool": bool, "str": str}
    return kinds[function.name](args[0])


def binary(function: Global, args: Args) -> object:
    """bytes(), bytearray(data) and _codecs.encode(text, "latin1"); text is encoded when needed."""
    data = args[0] if args else b""
    if isinstance(data, str):
        return Inert(function, (data,))
    if not isinstance(data, bytes | bytearray | Inert):
        raise BrokenFile(f"its pickle makes bytes of a {type(data).__name__}")
    return data


def attribute(function: Global, args: Args) -> object:
    """getattr as Enum members and bound methods are pickled: a name beside its owner."""
    owner, name = args
    if isinstance(owner, Global | Inert) and isinstance(name, str) and not name.startswith("__"):
        return Inert(function, args)
    raise RefusedGlobal(f"call {function}")


def tensor(function: Global, args: Args) -> object:
    """torch._utils._rebuild_tensor, _v2 and _v3."""
    storage, offset, size, stride, *rest = args
    if not isinstance(storage, StorageRef):
        raise BrokenFile("its pickle makes a tensor without a storage")
    dtype = storage.dtype
    if function.name == "_rebuild_tensor_v3":
        named, rest = rest[2], rest[:2] + rest[3:]
        if not isinstance(named, Global) or named.module != "torch":
            raise BrokenFile("its pickle makes a tensor of a dtype that torch does not have")
        dtype = named.name
    if len(rest) > 2 and rest[2]:
        return UnusableTensor("it is stored as a lazily negated or conjugated view")
    if not all(isinstance(part, tuple) for part in (size, stride)) or not isinstance(offset, int):
        raise BrokenFile("its pickle makes a tensor whose shape is no tuple of numbers")
    return StoredTensor(storage, dtype, offset, size, stride)  # type: ignore[arg-type]


def class_tensor(_: Global, args: Args) -> object:
    """fastai's _fa_rebuild_tensor(cls, *arguments of _rebuild_tensor_v2)."""
    return tensor(Global("torch._utils", "_rebuild_tensor_v2"), args[1:])


def graph_module(_: Global, args: Args) -> object:
    """torch.fx pickles a module as its `__dict__` and generated code; the code stays text."""
    return Inert(Global("torch.fx.graph_module", "GraphModule"), state=args[0])


def compiled_module(function: Global, args: Args) -> object:
    """torch.compile pickles a module as OptimizedModule(the module, how to compile it)."""
    return Inert(function, state={"_modules": {"_orig_mod": args[0]}, "_parameters": {}})


def unusable(reason: str) -> Rebuilder:
    """The rebuilder for tensors that are not dense numbers."""
    return lambda _function, _args: UnusableTensor(reason)


def never(function: Global, _: Args) -> object:
    """For names whose meaning depends on others: `trusted.call` handles them."""
    raise BrokenFile(f"its pickle calls {function} in a way it cannot be called")
