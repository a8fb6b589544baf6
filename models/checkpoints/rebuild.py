"""Our own versions of the functions that honest checkpoints call, by the name they ask for.

Each takes the name and the arguments from the file, checks them, and returns plain data or an
inert record. Wrong arguments raise BrokenFile, or ValueError and TypeError from unpacking them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from models.checkpoints.inert import (
    BrokenFile,
    Global,
    Inert,
    RefusedGlobal,
    StorageRef,
    StoredTensor,
    UnusableTensor,
    hashable,
)
from models.checkpoints.numpy_values import NDARRAY, numpy_scalar

Args = tuple[object, ...]
Rebuilder = Callable[[Global, Args], object]

STORAGE_DTYPES: Final = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
    "QInt8Storage": "qint8",
    "QUInt8Storage": "quint8",
    "QInt32Storage": "qint32",
    "QUInt4x2Storage": "quint4x2",
    "QUInt2x4Storage": "quint2x4",
    "UntypedStorage": "",
}


def _inert(function: Global, args: Args) -> object:
    return Inert(function, args)


def _first(_: Global, args: Args) -> object:
    return args[0]


def _mapping(_: Global, args: Args) -> object:
    """OrderedDict(pairs), Counter(dict), defaultdict(factory, pairs)."""
    source = args[-1] if args else ()
    if isinstance(source, dict):
        return dict(source)
    if not isinstance(source, list | tuple):
        return {}
    return {hashable(key): value for key, value in source}


def _collection(function: Global, args: Args) -> object:
    """list, tuple, set, frozenset or deque of a collection that is already there."""
    source = args[0] if args else ()
    if not isinstance(source, list | tuple | set | frozenset | dict):
        raise BrokenFile(f"its pickle makes a {function.name} of a {type(source).__name__}")
    if function.name in {"set", "frozenset"}:
        made = {hashable(item) for item in source}
        return made if function.name == "set" else frozenset(made)
    return tuple(source) if function.name in {"tuple", "Size"} else list(source)


def _scalar(function: Global, args: Args) -> object:
    if not args:
        return {"int": 0, "float": 0.0, "bool": False, "str": ""}[function.name]
    if not isinstance(args[0], bool | int | float | str):
        raise BrokenFile(f"its pickle makes a {function.name} of a {type(args[0]).__name__}")
    kinds: dict[str, Callable[[bool | int | float | str], object]]
    kinds = {"int": int, "float": float, "bool": bool, "str": str}
    return kinds[function.name](args[0])


def _bytes(_: Global, args: Args) -> object:
    """bytes(), bytearray(data) and _codecs.encode(text, "latin1")."""
    data = args[0] if args else b""
    if isinstance(data, str):
        return data.encode("latin-1")
    if isinstance(data, list):
        return bytes(item for item in data if isinstance(item, int))
    if not isinstance(data, bytes | bytearray):
        raise BrokenFile(f"its pickle makes bytes of a {type(data).__name__}")
    return bytes(data)


def _attribute(function: Global, args: Args) -> object:
    """getattr as Enum members and bound methods are pickled: a name beside its owner."""
    owner, name = args
    if isinstance(owner, Global | Inert) and isinstance(name, str) and not name.startswith("__"):
        return Inert(function, args)
    raise RefusedGlobal(f"call {function}")


def _tensor(function: Global, args: Args) -> object:
    """torch._utils._rebuild_tensor, _v2 and _v3."""
    storage, offset, size, stride, *rest = args
    if not isinstance(storage, StorageRef):
        raise BrokenFile("its pickle makes a tensor without a storage")
    dtype = storage.dtype
    if function.name == "_rebuild_tensor_v3":
        dtype, rest = rest[2].name, rest[:2] + rest[3:]  # type: ignore[attr-defined]
    if len(rest) > 2 and rest[2]:
        return UnusableTensor("it is stored as a lazily negated or conjugated view")
    if not all(isinstance(part, tuple) for part in (size, stride)) or not isinstance(offset, int):
        raise BrokenFile("its pickle makes a tensor whose shape is no tuple of numbers")
    return StoredTensor(storage, dtype, offset, size, stride)  # type: ignore[arg-type]


def _class_tensor(_: Global, args: Args) -> object:
    """fastai's _fa_rebuild_tensor(cls, *arguments of _rebuild_tensor_v2)."""
    return _tensor(Global("torch._utils", "_rebuild_tensor_v2"), args[1:])


def _graph_module(_: Global, args: Args) -> object:
    """torch.fx pickles a module as its `__dict__` and generated code; the code stays text."""
    return Inert(Global("torch.fx.graph_module", "GraphModule"), state=args[0])


def _compiled_module(function: Global, args: Args) -> object:
    """torch.compile pickles a module as OptimizedModule(the module, how to compile it)."""
    return Inert(function, state={"_modules": {"_orig_mod": args[0]}, "_parameters": {}})


def _unusable(reason: str) -> Rebuilder:
    return lambda _function, _args: UnusableTensor(reason)


def _table(module: str, names: str, function: Rebuilder) -> dict[Global, Rebuilder]:
    return {Global(module, name): function for name in names.split()}


def _never(function: Global, _: Args) -> object:
    raise BrokenFile(f"its pickle calls {function} in a way it cannot be called")


_STDLIB: Final = {
    **_table("collections", "OrderedDict defaultdict Counter", _mapping),
    **_table("collections", "deque", _collection),
    **_table("builtins", "list tuple set frozenset", _collection),
    **_table("builtins", "dict", _mapping),
    **_table("builtins", "int float bool str", _scalar),
    **_table("builtins", "bytes bytearray", _bytes),
    **_table("_codecs", "encode", _bytes),
    **_table("builtins", "object complex range slice", _inert),
    **_table("builtins", "getattr", _attribute),
    **_table("copyreg", "_reconstructor __newobj__", _never),
    **_table("argparse", "Namespace", _inert),
    **_table("types", "SimpleNamespace", _inert),
    **_table("functools", "partial", _inert),
    **_table("contextlib", "nullcontext", _inert),
    **_table("datetime", "datetime date time timedelta timezone", _inert),
    **_table("decimal", "Decimal", _inert),
    **_table("fractions", "Fraction", _inert),
    **_table("uuid", "UUID SafeUUID", _inert),
    **_table("random", "Random", _inert),
    **_table("itertools", "count", _inert),
    **_table("logging", "Logger getLogger", _inert),
    **_table("re", "_compile", _inert),
    **_table("typing", "Any Union Optional List Dict Tuple Callable Sequence", _inert),
    **_table("inspect", "Signature Parameter _ParameterKind _empty", _inert),
    **_table(
        "pathlib",
        "Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath",
        _inert,
    ),
}

_NUMPY: Final = {
    **_table("numpy", "dtype", _inert),
    **_table("numpy.core.multiarray", "scalar", lambda _, args: numpy_scalar(args)),
    **_table(
        "numpy.core.multiarray",
        "_reconstruct",
        lambda _function, _args: Inert(NDARRAY),
    ),
    **_table(
        "numpy.core.numeric",
        "_frombuffer",
        lambda _, args: Inert(NDARRAY, state=(1, args[2], args[1], args[3] == "F", args[0])),
    ),
    **_table(
        "numpy.random._pickle",
        "__randomstate_ctor __generator_ctor __bit_generator_ctor",
        _inert,
    ),
}

_TORCH: Final = {
    **_table("torch._utils", "_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3", _tensor),
    **_table("torch._utils", "_rebuild_parameter _rebuild_parameter_with_state", _first),
    **_table("torch._utils", "_rebuild_device_tensor_from_numpy _rebuild_xla_tensor", _first),
    **_table("torch._utils", "_rebuild_device_tensor_from_cpu_tensor", _first),
    **_table("torch._tensor", "_rebuild_from_type_v2 _rebuild_from_type", _never),
    **_table("torch._utils", "_rebuild_qtensor", _unusable("it is quantized")),
    **_table("torch._utils", "_rebuild_sparse_tensor", _unusable("it is sparse")),
    **_table("torch._utils", "_rebuild_nested_tensor", _unusable("it is a nested tensor")),
    **_table("torch._utils", "_rebuild_sparse_csr_tensor", _unusable("it is sparse")),
    **_table(
        "torch._utils",
        "_rebuild_meta_tensor_no_storage",
        _unusable("it lies on the meta device, so it has no numbers"),
    ),
    **_table(
        "torch._utils",
        "_rebuild_wrapper_subclass",
        _unusable("its class wraps other tensors, as quantization libraries do"),
    ),
    **_table("fastai.torch_core", "_fa_rebuild_tensor", _class_tensor),
    **_table("torch", "Size", _collection),
    **_table("torch", "device", _inert),
    **_table("torch.serialization", "_get_layout", _inert),
    **_table("torch.nn.backends.thnn", "_get_thnn_function_backend", _inert),
    **_table("torch._dynamo.eval_frame", "OptimizedModule", _compiled_module),
    **_table("torch.fx.graph_module", "reduce_graph_module", _graph_module),
    **_table(
        "torch.jit._pickle",
        "build_intlist build_doublelist build_boollist build_tensorlist restore_type_tag",
        _first,
    ),
}

REBUILD: Final[dict[Global, Rebuilder]] = {**_STDLIB, **_NUMPY, **_TORCH}
TORCH_REFERENCES: Final = frozenset(
    Global(module, name)
    for module in ("torch", "torch.cuda", "torch.storage")
    for name in STORAGE_DTYPES
)
"""Names that are only mentioned, to tell the dtype of a storage."""
