"""Hold the code of a TorchScript archive to what tracing writes, before any of it runs.

    class Deployable(Module):
      __parameters__ = []
      __buffers__ = []
      def forward(self: __torch__.models.deployable.Deployable,
        image: Tensor) -> Tuple[Tensor, Tensor]:
        input = torch._convolution(image, CONSTANTS.c0, CONSTANTS.c1, [2, 2], …)
        return (logits, torch.argmax(logits, 1))

A frozen trace has one method, whose lines call operators that compute tensors; where it changes
what its modules hold, their classes follow, without methods. An archive may say more: operators
that write files (`torch.save`), print or never end, and code that runs while it is loaded
(`__setstate__`, default values of arguments). None of that is loaded. The text is read with
Python's own parser, and only as much of the language as both parsers read alike. Afterwards the
loaded graph is held to the same operators.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from validate.runtimes.torchscript_records import RefusedCode, record_sizes, require_plain_values

MAX_CODE = 2**21
"""Most characters of code: the largest networks have some 100,000."""
MAX_CLASSES = 10_000
"""Most classes of an archive; a frozen trace has one, or one for each module that it changes."""
SCALARS = set(
    "size len dim numel Int Float Bool ScalarImplicit IntImplicit FloatImplicit add sub mul div "
    "floordiv remainder neg min max eq ne lt le gt ge __and__ __or__ __not__ __is__ __isnot__ "
    "__getitem__ floor ceil is_floating_point".split()
)
"""Operators that compute numbers: a trace has them for the sizes of its tensors."""
PRIVATE = {"_convolution", "_convolution_mode"}
"""Operators that tracing writes though their names are private."""
REFUSED = set(
    "save from_file set set_ set_data resize_ resize_as_ resize_as_sparse_ manual_seed seed warn "
    "wait pin_memory".split()
)
"""Operators that touch files, memory that is not theirs, or the process."""
KERNELS = re.compile("_|fbgemm|cudnn|miopen|mkldnn|mps_|quantized_|sparse_|unsafe_|q_|nested_")
"""What operators begin with that are parts of others, and leave the checks to those."""
PRIMITIVES = {"NumToTensor", "RaiseException"}
CONVERSIONS = {"int", "float", "bool", "annotate", "unchecked_cast", "getattr"}
LISTS = ("__parameters__", "__buffers__", "__annotations__")
CALLABLE = {"torch", "ops", *CONVERSIONS}
"""Names that alone are called, and that nothing else may be called by."""
NODES = set(
    "Module ClassDef FunctionDef arguments arg Assign AnnAssign Expr Return If Pass Name Attribute "
    "Subscript Call keyword Constant List Tuple UnaryOp USub Load Store".split()
)
"""Parts of Python that the code of a trace has; no loops among them."""
GRAPH_NODES = set(
    "prim::Constant prim::ListConstruct prim::ListUnpack prim::TupleConstruct prim::TupleUnpack "
    "prim::GetAttr prim::SetAttr prim::NumToTensor prim::RaiseException prim::If "
    "prim::unchecked_cast prim::Uninitialized prim::device prim::dtype".split()
)


def require_traced_code(path: Path) -> None:
    """Raise RefusedCode where the archive holds more than a frozen trace does.

    Nothing of it has run then. Raises RuntimeError, zipfile.BadZipFile or BrokenFile for what is
    no whole archive.
    """
    sizes = record_sizes(path)
    reader = torch._C.PyTorchFileReader(str(path))  # finds records as torch.jit.load does
    names = list(reader.get_all_records())
    codes = [name for name in names if name.casefold().endswith(".py")]
    if len({name.casefold() for name in names}) != len(names):
        raise RefusedCode(path, "it has two records of one name")
    if "model.json" in names or len(codes) > MAX_CLASSES:
        raise RefusedCode(path, f"it has {len(codes):,} files of code, or none of this format")
    methods = sum(_checked_code(path, reader.get_record(name)) for name in codes)
    if methods != 1:
        raise RefusedCode(path, f"its code has {methods} methods in place of one")
    for name in ("data", "constants"):
        require_plain_values(path, reader.get_record(f"{name}.pkl"), sizes, f"{name}/")


def require_traced_graph(path: Path, graph: Any) -> None:
    """Raise RefusedCode where the graph of a loaded archive has an operator that is not allowed."""
    for node in _nodes(graph):
        kind = node.kind()
        if kind in GRAPH_NODES:
            continue
        space, _, name = kind.partition("::")
        given = node.schema().rpartition("->")[2]
        computes = "Tensor" in given or (name in SCALARS and "str" not in given)
        if space != "aten" or not computes or not _is_allowed(name):
            raise RefusedCode(path, f"its code calls {kind}")


def _checked_code(path: Path, code: bytes) -> int:
    """Return how many methods the code has. Raises RefusedCode for what tracing does not write."""
    text = code.decode("latin-1")
    odd = re.search(r"[^\n -\"$-\[\]-~]", text)  # nor a comment, nor a backslash
    if odd or len(text) > MAX_CODE:
        what = f"the character {odd[0]!a}" if odd else f"{len(text):,} characters"
        raise RefusedCode(path, f"its code has {what}")
    try:
        tree = ast.parse(text)
        methods = _checked_class(path, tree)
        expected = {id(each) for node in ast.walk(tree) for each in _expected(node)}
        expected |= {id(each) for each in _named_tuples(tree)[:1]}
        nodes = sorted(ast.walk(tree), key=lambda node: not isinstance(node, ast.Call))
        for node in nodes:  # calls first: they name what is wanted
            _require_node(path, node, expected)
        return methods
    except (SyntaxError, RecursionError, MemoryError, ValueError):
        raise RefusedCode(path, "its code cannot be read") from None


def _checked_class(path: Path, tree: ast.Module) -> int:
    """Return the number of methods; nothing may run while the class is defined, or loaded."""
    definitions = [n for n in ast.walk(tree) if isinstance(n, ast.ClassDef | ast.FunctionDef)]
    match tree.body:
        case [ast.ClassDef(keywords=[], decorator_list=[], body=body)]:
            methods = [each for each in body if isinstance(each, ast.FunctionDef)]
        case _:
            raise RefusedCode(path, "its code is more than one class")
    for method in methods:
        given = (*method.args.defaults, *method.args.kw_defaults, *method.decorator_list)
        if method.name != "forward" or any(given) or len(definitions) > 2:
            raise RefusedCode(path, f"its code has {method.name} beside a plain forward")
    for each in body:
        match each:
            case ast.FunctionDef() | ast.AnnAssign(value=None):
                continue
            case ast.Assign(targets=[ast.Name(name)], value=ast.List()) if name in LISTS:
                continue
            case ast.Assign(targets=[ast.Subscript(ast.Name("__annotations__"))]) if not any(
                isinstance(inner, ast.Call) for inner in ast.walk(each)
            ):
                continue
        raise RefusedCode(path, f"its code has {ast.unparse(each)[:60]} in its class")
    return len(methods)


def _expected(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the texts and tuples in `node` that are where tracing writes them.

    Torch computes with them while it loads code: what doubles a text 40 times needs a terabyte.
    """
    match node:
        case ast.Return(value=ast.Tuple() as value) | ast.Subscript(slice=ast.Tuple() as value):
            yield value
        case ast.Assign(targets=[ast.Tuple()], value=ast.Tuple() as value):
            yield value
        case ast.Assign(targets=[ast.Name(name)], value=ast.List(texts)) if name in LISTS:
            yield from texts
        case ast.Subscript(ast.Name("__annotations__"), ast.Constant() as name):
            yield name
        case ast.Call(args=arguments, keywords=keywords) if _takes_text(ast.unparse(node.func)):
            yield from (*arguments, *(keyword.value for keyword in keywords))


def _named_tuples(tree: ast.Module) -> list[ast.AST]:
    """Return the tuples that get a name; tracing has one, which it returns."""
    found: list[ast.AST] = []
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name()], value=ast.Tuple() as value):
                found.append(value)
    return found


def _require_node(path: Path, node: ast.AST, expected: set[int]) -> None:
    match node:
        case ast.Call(func=function):
            called = ast.unparse(function)[:60]
            if not _is_called(called):
                raise RefusedCode(path, f"its code calls {called}")
        case ast.Constant(str() | bytes() | complex()) | ast.Tuple(ctx=ast.Load()):
            if id(node) not in expected:
                raise RefusedCode(path, f"its code computes with {ast.unparse(node)[:60]}")
        case ast.Name(name, ast.Store()) | ast.arg(name):
            if name in CALLABLE:
                raise RefusedCode(path, f"its code gives {name} another meaning")
        case _ if type(node).__name__ not in NODES:
            raise RefusedCode(path, f"its code has {type(node).__name__} in it")


def _is_called(name: str) -> bool:
    space, _, operator = name.rpartition(".")
    if space == "torch":
        return operator == "device" or _is_allowed(operator)
    return name in CONVERSIONS or (space == "ops.prim" and operator in PRIMITIVES)


def _takes_text(name: str) -> bool:
    if name in ("torch.device", "ops.prim.RaiseException", "getattr"):
        return True
    schemas = _of_tensors(name.removeprefix("torch."))
    return name.startswith("torch.") and any("str " in str(schema) for schema in schemas)


def _is_allowed(name: str) -> bool:
    """Return whether `aten::name` computes tensors, or numbers, and does nothing else."""
    if name in SCALARS or name in PRIVATE:
        return True
    return name not in REFUSED and not KERNELS.match(name) and any(_of_tensors(name))


def _of_tensors(name: str) -> Iterator[Any]:
    """Yield the schemas of `aten::name` that give tensors."""
    for schema in torch._C._jit_get_schemas_for_operator(f"aten::{name}"):
        if any("Tensor" in str(given.type) for given in schema.returns):
            yield schema


def _nodes(block: Any) -> Iterator[Any]:
    for node in block.nodes():
        yield node
        for nested in node.blocks():
            yield from _nodes(nested)
