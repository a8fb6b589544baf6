"""Read the declared types of an ML program (`ValueType` of `MIL.proto`)."""

from typing import Any

from models.errors import InputError
from validate.coreml import dtypes, ir
from validate.coreml.limits import MAX_NESTING, MAX_RANK


def value_type(message: Any, depth: int = 0) -> ir.ValueType:
    """Read a declared type.

    Raises:
        InputError: if it is of a kind that the runtime does not know.
    """
    if depth > MAX_NESTING:
        raise InputError(f"Its types are nested deeper than {MAX_NESTING}.")
    match message.WhichOneof("type"):
        case "tensorType":
            return _tensor_type(message.tensorType)
        case "listType":
            length = _dimension(message.listType.length)
            return ir.ListType(value_type(message.listType.type, depth + 1), length)
        case "stateType":
            wrapped = value_type(message.stateType.wrappedType, depth + 1)
            if not isinstance(wrapped, ir.TensorType):
                raise InputError("It has a state that holds something else than a tensor.")
            return ir.StateType(wrapped)
        case "tupleType":
            elements = message.tupleType.types
            return ir.TupleType(tuple(value_type(each, depth + 1) for each in elements))
        case "dictionaryType":
            dictionary = message.dictionaryType
            key = value_type(dictionary.keyType, depth + 1)
            return ir.DictionaryType(key, value_type(dictionary.valueType, depth + 1))
        case kind:
            raise InputError(f"It has a value of the unknown kind of type {kind!r}.")


def _tensor_type(message: Any) -> ir.TensorType:
    dtype = dtypes.by_number(message.dataType)
    if message.rank < 0 or any(d.unknown.variadic for d in message.dimensions):
        return ir.TensorType(dtype, None)
    if message.rank != len(message.dimensions):
        raise InputError(f"A shape has {len(message.dimensions)} sizes but rank {message.rank}.")
    if message.rank > MAX_RANK:
        raise InputError(f"A tensor has rank {message.rank}, above the limit of {MAX_RANK}.")
    return ir.TensorType(dtype, tuple(_dimension(each) for each in message.dimensions))


def _dimension(message: Any) -> int | None:
    return message.constant.size if message.WhichOneof("dimension") == "constant" else None
