"""List the names that honest checkpoints use, each with the function that stands in for it."""

from models.checkpoints.pickles import rebuild
from models.checkpoints.pickles.numpy_values import NDARRAY, numpy_scalar
from models.checkpoints.pickles.rebuild import Rebuilder
from models.checkpoints.pickles.records import Global, Inert

STORAGE_DTYPES = {
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


def _table(module: str, names: str, function: Rebuilder) -> dict[Global, Rebuilder]:
    return {Global(module, name): function for name in names.split()}


_STDLIB = {
    **_table("collections", "OrderedDict defaultdict Counter", rebuild.mapping),
    **_table("collections", "deque", rebuild.collection),
    **_table("builtins", "list tuple set frozenset", rebuild.collection),
    **_table("builtins", "dict", rebuild.mapping),
    **_table("builtins", "int float bool str", rebuild.scalar),
    **_table("builtins", "bytes bytearray", rebuild.binary),
    **_table("_codecs", "encode", rebuild.binary),
    **_table("builtins", "object complex range slice", rebuild.inert),
    **_table("builtins", "getattr", rebuild.attribute),
    **_table("copyreg", "_reconstructor __newobj__", rebuild.never),
    **_table("argparse", "Namespace", rebuild.inert),
    **_table("types", "SimpleNamespace", rebuild.inert),
    **_table("functools", "partial", rebuild.inert),
    **_table("contextlib", "nullcontext", rebuild.inert),
    **_table("datetime", "datetime date time timedelta timezone", rebuild.inert),
    **_table("decimal", "Decimal", rebuild.inert),
    **_table("fractions", "Fraction", rebuild.inert),
    **_table("uuid", "UUID SafeUUID", rebuild.inert),
    **_table("random", "Random", rebuild.inert),
    **_table("itertools", "count", rebuild.inert),
    **_table("logging", "Logger getLogger", rebuild.inert),
    **_table("re", "_compile", rebuild.inert),
    **_table("typing", "Any Union Optional List Dict Tuple Callable Sequence", rebuild.inert),
    **_table("inspect", "Signature Parameter _ParameterKind _empty", rebuild.inert),
    **_table(
        "pathlib",
        "Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath",
        rebuild.inert,
    ),
}

_NUMPY = {
    **_table("numpy", "dtype", rebuild.inert),
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
        rebuild.inert,
    ),
}

_TORCH = {
    **_table(
        "torch._utils", "_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3", rebuild.tensor
    ),
    **_table("torch._utils", "_rebuild_parameter _rebuild_parameter_with_state", rebuild.first),
    **_table(
        "torch._utils", "_rebuild_device_tensor_from_numpy _rebuild_xla_tensor", rebuild.first
    ),
    **_table("torch._utils", "_rebuild_device_tensor_from_cpu_tensor", rebuild.first),
    **_table("torch._tensor", "_rebuild_from_type_v2 _rebuild_from_type", rebuild.never),
    **_table("torch._utils", "_rebuild_qtensor", rebuild.unusable("it is quantized")),
    **_table("torch._utils", "_rebuild_sparse_tensor", rebuild.unusable("it is sparse")),
    **_table("torch._utils", "_rebuild_nested_tensor", rebuild.unusable("it is a nested tensor")),
    **_table("torch._utils", "_rebuild_sparse_csr_tensor", rebuild.unusable("it is sparse")),
    **_table(
        "torch._utils",
        "_rebuild_meta_tensor_no_storage",
        rebuild.unusable("it lies on the meta device, so it has no numbers"),
    ),
    **_table(
        "torch._utils",
        "_rebuild_wrapper_subclass",
        rebuild.unusable("its class wraps other tensors, as quantization libraries do"),
    ),
    **_table("fastai.torch_core", "_fa_rebuild_tensor", rebuild.class_tensor),
    **_table("torch", "Size", rebuild.collection),
    **_table("torch", "device", rebuild.inert),
    **_table("torch.serialization", "_get_layout", rebuild.inert),
    **_table("torch.nn.backends.thnn", "_get_thnn_function_backend", rebuild.inert),
    **_table("torch._dynamo.eval_frame", "OptimizedModule", rebuild.compiled_module),
    **_table("torch.fx.graph_module", "reduce_graph_module", rebuild.graph_module),
    **_table(
        "torch.jit._pickle",
        "build_intlist build_doublelist build_boollist build_tensorlist restore_type_tag",
        rebuild.first,
    ),
}

REBUILD: dict[Global, Rebuilder] = {**_STDLIB, **_NUMPY, **_TORCH}
TORCH_REFERENCES = frozenset(
    Global(module, name)
    for module in ("torch", "torch.cuda", "torch.storage")
    for name in STORAGE_DTYPES
)
"""Names that are only mentioned, to tell the dtype of a storage."""
