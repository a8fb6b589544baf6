"""Compare the values of a step with the types that the file declares for them."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from models.errors import InputError
from validate.coreml import ir
from validate.coreml.graph import Step


def where(step: Step) -> str:
    """Return the beginning of a sentence about a step."""
    return f"Its operation {step.name!r} ({step.op_type})"


def is_fp16(type_: ir.ValueType) -> bool:
    """Tell whether a value is declared as an FP16 tensor."""
    return isinstance(type_, ir.TensorType) and type_.dtype.name == "fp16"


def stays_fp16(type_: ir.ValueType) -> bool:
    """Tell whether rounded values of this type need no other rounding: fp16 or no floats."""
    if isinstance(type_, ir.ListType):
        return stays_fp16(type_.element)
    return isinstance(type_, ir.TensorType) and (
        type_.dtype.name == "fp16" or type_.dtype.kind != "float"
    )


def check_results(step: Step, results: Sequence[Any]) -> None:
    """Compare what a step returned with what the file declares.

    Raises:
        InputError: if the number of results or a shape differs.
    """
    if len(results) != len(step.outputs):
        raise InputError(
            f"{where(step)} has {len(results)} results but declares {len(step.outputs)}."
        )
    for named, value in zip(step.outputs, results, strict=True):
        declared = named.type
        shape = tuple(value.shape) if isinstance(value, Tensor) else ()
        if isinstance(declared, ir.TensorType) and not declared.admits(shape):
            raise InputError(
                f"{where(step)} gives {named.name!r} the shape {list(shape)} "
                f"but declares {declared}."
            )
