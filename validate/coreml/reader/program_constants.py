"""Read the constants of an ML program, by the operation that takes them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from validate.coreml import ir
from validate.coreml.features import read_interface
from validate.coreml.read_model import parse
from validate.coreml.reader.package import locate
from validate.coreml.reader.program_reader import ProgramReader


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
    function = ProgramReader(files).function(message.mlProgram, name)
    return {
        operation.name: {
            parameter: constant.data
            for parameter, constant in held
            if isinstance(constant.data, np.ndarray)
            and constant.data.ndim
            and constant.data.dtype.kind == "f"
        }
        for operation, held in held_constants(function.block)
    }


def held_constants(
    block: ir.Block,
) -> Iterator[tuple[ir.Operation, list[tuple[str, ir.Constant]]]]:
    """Yield each operation of a block, and its parameters that are constants with these."""
    constants: dict[str, ir.Argument] = {}
    for operation in block.operations:
        if operation.type == "const":
            constants[operation.outputs[0].name] = operation.inputs["val"][0]
            continue
        given = (
            (parameter, constants.get(each) if isinstance(each, str) else each)
            for parameter, arguments in operation.inputs.items()
            for each in arguments
        )
        yield operation, [(key, held) for key, held in given if isinstance(held, ir.Constant)]
