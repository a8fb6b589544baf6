"""Read a model file: its package, its specification, its program or network, all checked."""

from pathlib import Path
from typing import Any, get_args

from models.errors import InputError
from validate.coreml.features import read_interface
from validate.coreml.limits import UnsupportedOperation
from validate.coreml.lowering import lower
from validate.coreml.model import Arithmetic, Model, with_path
from validate.coreml.reader.interface import check_description, check_kind, check_program
from validate.coreml.reader.package import ModelFiles, locate
from validate.coreml.reader.program_reader import ProgramReader
from validate.coreml.reader.specification import DecodeError, Model_pb2
from validate.coreml.reader.versions import NETWORKS, check_version


def load(
    path: str | Path, *, function: str | None = None, arithmetic: Arithmetic | None = None
) -> Model:
    """Read an `.mlpackage` or `.mlmodel` and prepare it to run.

    Args:
        path: the package or file.
        function: the function to run, in a package with several (iOS 18); None for the default.
        arithmetic: "as_stored" (the default) rounds every value declared FP16 to FP16 after its
            operation, as the file says; "float32" computes what the graph means.

    Raises:
        UnsupportedOperation: if the file needs an operation, a layer or a kind of model that Core
            ML has and the runtime does not execute: no verdict on the file.
        InputError: if the file is damaged, contradicts itself, leads outside its package, or is one
            that Core ML would refuse.
    """
    path = Path(path)
    if arithmetic is not None and arithmetic not in get_args(Arithmetic):
        raise InputError(f"The arithmetic must be float32 or as_stored, not {arithmetic!r}.")
    try:
        files = locate(path)
        return _load(path, files, parse(files.specification), function, arithmetic or "as_stored")
    except InputError as error:
        raise with_path(path, error) from None


def parse(specification: Path) -> Any:
    """Read the protobuf of a model. Raises InputError where it is none."""
    try:
        return Model_pb2.Model.FromString(specification.read_bytes())
    except OSError as error:
        raise InputError(f"It cannot be read: {error}.") from None
    except DecodeError:
        raise InputError("It is no Core ML model, or it is damaged.") from None


def _load(
    path: Path, files: ModelFiles, message: Any, function: str | None, arithmetic: Arithmetic
) -> Model:
    kind = message.WhichOneof("Type")
    if kind is None:
        raise InputError("It is a model without a type.")
    if kind not in ("mlProgram", *NETWORKS):
        raise UnsupportedOperation(f"It is a {kind}; only ML programs and neural networks are run.")
    check_version(message)
    check_kind(message)
    name, interface = read_interface(message.description, function)
    check_description(interface)
    if kind == "mlProgram":
        program = ProgramReader(files).function(message.mlProgram, name)
        check_program(interface, program)
        graph = lower(program, rounds=arithmetic == "as_stored")
        return Model(
            path, interface, graph, function=name, arithmetic=arithmetic, backend="mlprogram"
        )
    from validate.coreml import neuralnetwork

    graph = neuralnetwork.lower(getattr(message, kind), interface)
    return Model(path, interface, graph, arithmetic=arithmetic, backend="neuralnetwork")
