"""Describe an ML program as inert data: what the file says, checked for form, nothing resolved.

    Program
      functions: name -> Function(name, opset, inputs, block)
        Block(inputs, operations, outputs)
          Operation(type, name, inputs, outputs, blocks)
            inputs: parameter -> arguments, each the name of a value or a Constant
            outputs: Named values with their declared types

A `const` operation is an operation like any other here; its value is the parameter "val".
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from validate.coreml.dtypes import DType


@dataclass(frozen=True, slots=True)
class TensorType:
    """Describe a tensor or, with shape (), a scalar; a size of None is not known before it runs."""

    dtype: DType
    shape: tuple[int | None, ...] | None

    def admits(self, shape: tuple[int | None, ...]) -> bool:
        """Tell whether a tensor of this type may have a shape; a size of None is any.

        coremltools declares some results of one element as scalars, and describes scalars as arrays
        of one element: the shapes () and (1,) are the same here.
        """
        if self.shape is None or {self.shape, shape} <= {(), (1,)}:
            return True
        return len(shape) == len(self.shape) and all(
            known is None or size == known for size, known in zip(shape, self.shape, strict=True)
        )

    def __str__(self) -> str:
        if self.shape is None:
            return f"{self.dtype.name}[...]"
        return f"{self.dtype.name}[{', '.join('?' if n is None else str(n) for n in self.shape)}]"


@dataclass(frozen=True, slots=True)
class ListType:
    """Describe a list (TensorArray) of tensors of one type; length None where it grows."""

    element: "ValueType"
    length: int | None


@dataclass(frozen=True, slots=True)
class StateType:
    """Describe a buffer that outlives one prediction (iOS 18)."""

    wrapped: TensorType


@dataclass(frozen=True, slots=True)
class TupleType:
    """Describe several values under one name."""

    elements: tuple["ValueType", ...]


@dataclass(frozen=True, slots=True)
class DictionaryType:
    """Describe a dictionary: the class probabilities of `classify`."""

    key: "ValueType"
    value: "ValueType"


ValueType = TensorType | ListType | StateType | TupleType | DictionaryType


@dataclass(frozen=True, slots=True)
class Constant:
    """Hold a value of the file: a tensor as stored, or a tuple (of Constants) for a list or tuple.

    `data` of types below 8 bits is unpacked, one element a byte; strings are an object array.
    """

    type: ValueType
    data: np.ndarray | tuple["Constant", ...]


@dataclass(frozen=True, slots=True)
class Named:
    """Hold a value's name and declared type."""

    name: str
    type: ValueType


Argument = str | Constant


@dataclass(frozen=True, slots=True)
class Operation:
    """Hold one operation; `inputs` has its inputs and its attributes alike."""

    type: str
    name: str
    inputs: Mapping[str, tuple[Argument, ...]]
    outputs: tuple[Named, ...]
    blocks: tuple["Block", ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """Hold operations in order, each using only values defined before it."""

    inputs: tuple[Named, ...]
    operations: tuple[Operation, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """Hold a function of a program; `opset` is the iOS version whose operations it uses, 15 say."""

    name: str
    opset: int
    inputs: tuple[Named, ...]
    block: Block


@dataclass(frozen=True, slots=True)
class Program:
    """Hold all functions of an ML program."""

    functions: Mapping[str, Function]
