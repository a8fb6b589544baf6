"""Read a model's inputs and outputs as its description declares them, for both backends."""

from dataclasses import dataclass
from typing import Any

from models.errors import InputError
from validate.coreml.reader.specification import FeatureTypes_pb2

_ARRAY_DTYPES = {
    FeatureTypes_pb2.ArrayFeatureType.FLOAT16: "float16",
    FeatureTypes_pb2.ArrayFeatureType.FLOAT32: "float32",
    FeatureTypes_pb2.ArrayFeatureType.DOUBLE: "float64",
    FeatureTypes_pb2.ArrayFeatureType.INT32: "int32",
    FeatureTypes_pb2.ArrayFeatureType.INT8: "int8",
}
_COLORS = {
    FeatureTypes_pb2.ImageFeatureType.GRAYSCALE: "GRAYSCALE",
    FeatureTypes_pb2.ImageFeatureType.RGB: "RGB",
    FeatureTypes_pb2.ImageFeatureType.BGR: "BGR",
    FeatureTypes_pb2.ImageFeatureType.GRAYSCALE_FLOAT16: "GRAYSCALE_FLOAT16",
}
_STATE = "stateType"


@dataclass(frozen=True, slots=True)
class SizeRange:
    """Hold the allowed sizes of one dimension; an upper bound of None is no bound."""

    lower: int
    upper: int | None

    def __contains__(self, size: int) -> bool:
        return self.lower <= size and (self.upper is None or size <= self.upper)

    def __str__(self) -> str:
        return f"{self.lower} to {'any' if self.upper is None else self.upper}"


@dataclass(frozen=True, slots=True)
class ArrayFeature:
    """Describe a multi-array.

    Attributes:
        dtype: numpy name of its declared type.
        shape: its default shape; () where none is declared.
        enumerated: the other shapes that are allowed.
        ranges: the range of each dimension, () where the shape is not flexible.
        default: what an absent optional input is filled with.
    """

    name: str
    optional: bool
    dtype: str
    shape: tuple[int, ...]
    enumerated: tuple[tuple[int, ...], ...] = ()
    ranges: tuple[SizeRange, ...] = ()
    default: float = 0.0

    def admits(self, shape: tuple[int, ...]) -> bool:
        """Tell whether an array of this shape may be given."""
        if self.ranges:
            return len(shape) == len(self.ranges) and all(
                size in allowed for size, allowed in zip(shape, self.ranges, strict=True)
            )
        return not self.shape or shape == self.shape or shape in self.enumerated


@dataclass(frozen=True, slots=True)
class ImageFeature:
    """Describe an image."""

    name: str
    optional: bool
    color: str
    size: tuple[int, ...]
    enumerated: tuple[tuple[int, ...], ...] = ()
    ranges: tuple[SizeRange, ...] = ()

    def admits(self, size: tuple[int, ...]) -> bool:
        """Tell whether an image of this height and width may be given."""
        if self.ranges:
            return size[0] in self.ranges[0] and size[1] in self.ranges[1]
        return size == self.size or size in self.enumerated


@dataclass(frozen=True, slots=True)
class PlainFeature:
    """Describe a number, a text or a dictionary; `kind` is its name in `FeatureTypes.proto`."""

    name: str
    optional: bool
    kind: str


Feature = ArrayFeature | ImageFeature | PlainFeature


@dataclass(frozen=True, slots=True)
class Interface:
    """Describe the inputs, outputs and states of a function of a model."""

    inputs: tuple[Feature, ...]
    outputs: tuple[Feature, ...]
    states: tuple[ArrayFeature, ...] = ()


def is_flexible(feature: Feature) -> bool:
    """Tell whether an input or output may have several shapes."""
    return not isinstance(feature, PlainFeature) and bool(feature.enumerated or feature.ranges)


def read_interface(description: Any, function: str | None) -> tuple[str, Interface]:
    """Read the description of one function of a model.

    Args:
        description: the `ModelDescription` message.
        function: the name asked for; None for the default one.

    Returns:
        The function's name and its interface.

    Raises:
        InputError: if there is no such function, or a feature is malformed.
    """
    functions = {each.name: each for each in description.functions}
    default = description.defaultFunctionName
    if not functions and not default:
        if function not in (None, "main"):
            raise InputError(f"It has no function {function!r}: it has only one, 'main'.")
        return "main", _interface(description)
    if description.input or description.output or description.state:
        raise InputError("It describes both a model of one function and several functions.")
    names = ", ".join(sorted(functions)) or "none"
    for name in (default, function or default):
        if name not in functions:
            raise InputError(f"It has no function {name!r}, only {names}.")
    return name, _interface(functions[name])


def _interface(message: Any) -> Interface:
    inputs = [each for each in message.input if each.type.WhichOneof("Type") != _STATE]
    states = [each for each in message.input if each.type.WhichOneof("Type") == _STATE]
    return Interface(
        tuple(_feature(each) for each in inputs),
        tuple(_feature(each) for each in message.output),
        tuple(_state(each) for each in (*states, *message.state)),
    )


def _state(message: Any) -> ArrayFeature:
    return _array(message.name, message.type.isOptional, message.type.stateType.arrayType)


def _feature(message: Any) -> Feature:
    kind = message.type.WhichOneof("Type")
    optional = message.type.isOptional
    if kind == "multiArrayType":
        return _array(message.name, optional, message.type.multiArrayType)
    if kind == "imageType":
        return _image(message.name, optional, message.type.imageType)
    if kind is None:
        raise InputError(f"Its feature {message.name!r} has no type.")
    return PlainFeature(message.name, optional, kind)


def _array(name: str, optional: bool, message: Any) -> ArrayFeature:
    if message.dataType not in _ARRAY_DTYPES:
        raise InputError(f"Its feature {name!r} has the unknown data type {message.dataType}.")
    enumerated = tuple(tuple(shape.shape) for shape in message.enumeratedShapes.shapes)
    ranges = tuple(_range(each) for each in message.shapeRange.sizeRanges)
    default = message.WhichOneof("defaultOptionalValue")
    value = float(getattr(message, default)) if default else 0.0
    dtype = _ARRAY_DTYPES[message.dataType]
    shape = tuple(message.shape) or _implied_default(enumerated, ranges)
    return ArrayFeature(name, optional, dtype, shape, enumerated, ranges, value)


def _image(name: str, optional: bool, message: Any) -> ImageFeature:
    if message.colorSpace not in _COLORS:
        raise InputError(f"Its image {name!r} has the unknown colour space {message.colorSpace}.")
    sizes = tuple((each.height, each.width) for each in message.enumeratedSizes.sizes)
    ranges: tuple[SizeRange, ...] = ()
    if message.WhichOneof("SizeFlexibility") == "imageSizeRange":
        both = message.imageSizeRange
        ranges = (_range(both.heightRange), _range(both.widthRange))
    size: tuple[int, ...] = (message.height, message.width)
    if size == (0, 0):
        size = _implied_default(sizes, ranges) or size
    return ImageFeature(name, optional, _COLORS[message.colorSpace], size, sizes, ranges)


def _implied_default(
    enumerated: tuple[tuple[int, ...], ...], ranges: tuple[SizeRange, ...]
) -> tuple[int, ...]:
    """Return the default shape of a flexible feature that declares none."""
    return enumerated[0] if enumerated else tuple(each.lower for each in ranges)


def _range(message: Any) -> SizeRange:
    upper = message.upperBound
    return SizeRange(message.lowerBound, None if upper < 0 else upper)
