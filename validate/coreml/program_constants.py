"""Read the constants of an ML program, by the operation that takes them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from validate.coreml import ir
from validate.coreml.features import read_interface
from validate.coreml.package import locate
from validate.coreml.program_reader import ProgramReader
from validate.coreml.read_model import parse


def read_weights(path: Path) -> Mapping[str, Mapping[str, np.ndarray]]:
    """Return the float constants ("weight", "bias", …) of each operation, by the operation's name.

    They are as stored, and have one or more dimensions. Scalars (an epsilon, a slope) and
    constants of operations in nested blocks are left out.

    Raises:
        InputError: if the file is damaged, or is no ML program.
    """
    files = locate(path)
    message = parse(files.specification)
    name, _ = read_interface(message.description, None)
    block = ProgramReader(files).function(message.mlProgram, name).block
    constants = {
        operation.outputs[0].name: operation.inputs["val"][0]
        for operation in block.operations
        if operation.type == "const"
    }
    return {
        operation.name: dict(_arrays(operation, constants))
        for operation in block.operations
        if operation.type != "const"
    }


def _arrays(
    operation: ir.Operation, constants: Mapping[str, ir.Argument]
) -> Iterator[tuple[str, np.ndarray]]:
    for parameter, arguments in operation.inputs.items():
        for argument in arguments:
            held = constants.get(argument) if isinstance(argument, str) else argument
            array = held.data if isinstance(held, ir.Constant) else None
            if isinstance(array, np.ndarray) and array.ndim and array.dtype.kind == "f":
                yield parameter, array
