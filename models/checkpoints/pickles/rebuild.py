"""Stand in for the functions that honest checkpoints call, by the name they ask for.

Each takes the name and the arguments from the file, checks them, and returns plain data or an
inert record. Wrong arguments raise BrokenFile, or ValueError and TypeError from unpacking them.
"""

from collections.abc import Callable

from models.checkpoints.pickles.records import (
    BrokenFile,
    Global,
    Inert,
    RefusedGlobal,
    StorageRef,
    StoredTensor,
    UnusableTensor,
    as_key,
)

Args = tuple[object, ...]
Rebuilder = Callable[[Global, Args], object]


_LONGEST_NUMBER = 1000
"""Digits of a number that is made of a text or made one; more take ever longer to convert."""
_MOST_DIMENSIONS = 16


def inert(function: Global, args: Args) -> object:
    """Return an object that is only kept, never looked into."""
    return Inert(function, args)


def first(_: Global, args: Args) -> object:
    """Return the first argument, around which the function would wrap: a Parameter its tensor."""
    return args[0]


def mapping(_: Global, args: Args) -> object:
    """Return the dict of OrderedDict(pairs), Counter(dict) or defaultdict(factory, pairs).

    A dict is passed on and pairs are moved, so that a crafted pickle cannot multiply them.
    """
    source = args[-1] if args else None
    if isinstance(source, dict):
        return source
    if not isinstance(source, list):
        return {}
    made = {as_key(key): value for key, value in source}
    source.clear()
    return made


def collection(function: Global, args: Args) -> object:
    """Return what a list, tuple, set, frozenset, deque or Size is made of, as it is."""
    source = args[0] if args else []
    if not isinstance(source, list | tuple | set | frozenset | dict):
        raise BrokenFile(f"its pickle makes a {function.name} of a {type(source).__name__}")
    return source


def scalar(function: Global, args: Args) -> object:
    """Return the int, float, bool or str of a number or text."""
    if not args:
        return {"int": 0, "float": 0.0, "bool": False, "str": ""}[function.name]
    if not isinstance(args[0], bool | int | float | str):
        raise BrokenFile(f"its pickle makes a {function.name} of a {type(args[0]).__name__}")
    long = args[0].bit_length() // 3 if isinstance(args[0], int) else 0
    if isinstance(args[0], str) and function.name in ("int", "float"):
        long = len(args[0])
    if long > _LONGEST_NUMBER:
        raise BrokenFile(f"its pickle makes a {function.name} of about {long:,} digits")
    kinds: dict[str, Callable[[bool | int | float | str], object]]
    kinds = {"int": int, "float": float, "bool": bool, "str": str}
    return kinds[function.name](args[0])


def binary(function: Global, args: Args) -> object:
    """Return the data of bytes(), bytearray(data) and _codecs.encode(text, "latin1").

    Text is kept, and encoded when its bytes are needed.
    """
    data = args[0] if args else b""
    if isinstance(data, str):
        return Inert(function, (data,))
    if not isinstance(data, bytes | bytearray | Inert):
        raise BrokenFile(f"its pickle makes bytes of a {type(data).__name__}")
    return data


def attribute(function: Global, args: Args) -> object:
    """Return a name beside its owner: getattr, as Enum members and bound methods are pickled."""
    owner, name = args
    if isinstance(owner, Global | Inert) and isinstance(name, str) and not name.startswith("__"):
        return Inert(function, (owner, name[:_LONGEST_NUMBER]))
    raise RefusedGlobal(f"call {function}")


def tensor(function: Global, args: Args) -> object:
    """Return the record of torch._utils._rebuild_tensor, _v2 and _v3."""
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
    return _stored_tensor(storage, dtype, offset, size, stride)


def _stored_tensor(
    storage: StorageRef, dtype: str, offset: object, size: object, stride: object
) -> StoredTensor:
    """Return the record of a tensor; BrokenFile where its shape is none that torch has.

    Such a shape is never kept: comparing or hashing two crafted ones could take for ever.
    """
    if not isinstance(size, tuple) or not isinstance(stride, tuple):
        raise BrokenFile("its pickle makes a tensor whose shape is no tuple of numbers")
    if len(size) != len(stride) or len(size) > _MOST_DIMENSIONS:
        raise BrokenFile("a tensor's sizes and strides do not belong together")
    if not all(type(n) is int and 0 <= n < 1 << 62 for n in (offset, *size, *stride)):
        raise BrokenFile("a tensor has a negative or impossible size, stride or offset")
    return StoredTensor(storage, dtype, offset, size, stride)  # type: ignore[arg-type]


def class_tensor(_: Global, args: Args) -> object:
    """Return the record of fastai's _fa_rebuild_tensor(cls, *arguments of _rebuild_tensor_v2)."""
    return tensor(Global("torch._utils", "_rebuild_tensor_v2"), args[1:])


def graph_module(_: Global, args: Args) -> object:
    """Return the module that torch.fx pickles as its `__dict__` and its code, which stays text."""
    return Inert(Global("torch.fx.graph_module", "GraphModule"), state=args[0])


def compiled_module(function: Global, args: Args) -> object:
    """Return the module of torch.compile's OptimizedModule(module, how to compile it)."""
    return Inert(function, state={"_modules": {"_orig_mod": args[0]}, "_parameters": {}})


def unusable(reason: str) -> Rebuilder:
    """Return the function for tensors that are not dense numbers."""
    return lambda _function, _args: UnusableTensor(reason)


def never(function: Global, _: Args) -> object:
    """Refuse a call whose meaning depends on others, which `policy.call` handles."""
    raise BrokenFile(f"its pickle calls {function} in a way it cannot be called")
