"""Check a model's description, by itself and against the program that it describes.

Core ML takes the types and shapes of inputs and outputs from the description and the operations
from the program, and refuses a model in which the two disagree. Sources: the comments of
`Model.proto`, `FeatureTypes.proto` and `MIL.proto`, coremltools' `mlmodel/src/InterfaceValidators`
and `NeuralNetworkValidator`, and its exporter, which derives a description from each program.

What these leave open is allowed: a shape that is described as fixed where the program's is not, the
data type of an image output, a default value of another type than its input.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from models.errors import InputError
from validate.coreml import dtypes, ir
from validate.coreml.features import ArrayFeature, Feature, ImageFeature, Interface

_NAMES = {"float16": "fp16", "float32": "fp32", "float64": "fp64", "int32": "int32", "int8": "int8"}
"""The MIL name of each type of an array."""
_IMAGE_TYPES = {"GRAYSCALE": ("fp32", "uint8"), "GRAYSCALE_FLOAT16": ("fp16", "fp32")}
"""What an image input may be in the program, where that is not fp32 alone."""


def check_kind(model: Any) -> None:
    """Refuse a `Model` message that says what models of its kind cannot be.

    Raises:
        InputError: if an ML program is updatable, or another model has functions or states.
    """
    description = model.description
    if model.WhichOneof("Type") == "mlProgram":
        if model.isUpdatable:
            raise InputError("It is updatable, but an ML program cannot be updated on a device.")
    elif description.functions or description.state:
        raise InputError("It describes functions or states, which only ML programs have.")


def check_description(interface: Interface) -> None:
    """Check what a description says of itself.

    Raises:
        InputError: if Core ML would refuse it, whatever the program computes.
    """
    features = (*interface.inputs, *interface.outputs, *interface.states)
    if not interface.outputs:
        raise InputError("Its description has no output.")
    if interface.inputs and not interface.states and all(f.optional for f in interface.inputs):
        raise InputError("All its inputs are optional: at least one must be required.")
    counts = Counter(feature.name for feature in features)
    for feature in features:
        if not feature.name:
            raise InputError("An input or output of its description has no name.")
        if counts[feature.name] > 1:
            raise InputError(f"Its description has {feature.name!r} {counts[feature.name]} times.")
        if isinstance(feature, ArrayFeature | ImageFeature):
            _check_sizes(feature)
    for feature in (*interface.outputs, *interface.states):
        if feature.optional:
            raise InputError(f"Its {feature.name!r} is optional, but only inputs can be.")
    for feature in interface.inputs:
        if isinstance(feature, ArrayFeature) and not feature.shape:
            raise InputError(f"Its input {feature.name!r} has no shape.")
    for state in interface.states:
        if state.dtype != "float16" or not state.shape or state.ranges or state.enumerated:
            raise InputError(f"Its state {state.name!r} is not of a fixed shape and type FLOAT16.")


def _check_sizes(feature: ArrayFeature | ImageFeature) -> None:
    default = _default(feature)
    if min(default, default=1) < (1 if isinstance(feature, ImageFeature) else 0):
        raise InputError(f"Its {feature.name!r} is described with the shape {list(default)}.")
    for each in feature.ranges:
        if each.upper is not None and each.lower > each.upper:
            raise InputError(f"Its {feature.name!r} may have no size: {each}.")
    if not default or (feature.admits(default) and default in (feature.enumerated or (default,))):
        return
    raise InputError(
        f"The default shape {list(default)} of its {feature.name!r} is none of those that its "
        "description allows."
    )


def _default(feature: ArrayFeature | ImageFeature) -> tuple[int, ...]:
    return feature.size if isinstance(feature, ImageFeature) else feature.shape


def check_program(interface: Interface, function: ir.Function) -> None:
    """Compare a description with the function of an ML program that it describes.

    Raises:
        InputError: if an input, output or state is missing on one side, or has another type or
            shape there.
    """
    given = {named.name: named.type for named in function.inputs}
    computed = given | {
        named.name: named.type
        for operation in function.block.operations
        for named in operation.outputs
    }
    outputs = {name: computed.get(name) for name in function.block.outputs}
    states = {name: type_ for name, type_ in given.items() if isinstance(type_, ir.StateType)}
    inputs = {name: type_ for name, type_ in given.items() if name not in states}
    wrapped = {name: type_.wrapped for name, type_ in states.items()}
    _compare("input", interface.inputs, inputs)
    _compare("output", interface.outputs, outputs)
    _compare("state", interface.states, wrapped)


def _compare(
    what: str, described: Sequence[Feature], program: Mapping[str, ir.ValueType | None]
) -> None:
    names = {feature.name for feature in described}
    for name in sorted(names ^ program.keys()):
        there, missing = "program", "description"
        if name in names:
            there, missing = missing, there
        raise InputError(f"Its {what} {name!r} is in its {there} but not in its {missing}.")
    for feature in described:
        type_ = program[feature.name]
        if isinstance(feature, ArrayFeature | ImageFeature):
            names_of_types = _type_names(what, feature)
            sizes = _sizes(feature)
            words = str(ir.TensorType(dtypes.BY_NAME[names_of_types[0]], sizes))
            fits = isinstance(type_, ir.TensorType) and (
                type_.dtype.name in names_of_types and (sizes is None or type_.admits(sizes))
            )
        else:
            words = feature.kind
            fits = _fits_kind(feature.kind, type_)
        if not fits:
            raise InputError(
                f"Its {what} {feature.name!r} is described as {words}, but its program has {type_}."
            )


def _type_names(what: str, feature: ArrayFeature | ImageFeature) -> tuple[str, ...]:
    """Return the MIL types that the program may have where the description has `feature`."""
    if isinstance(feature, ArrayFeature):
        return (_NAMES[feature.dtype],)
    inputs = _IMAGE_TYPES.get(feature.color, ("fp32",))
    return inputs if what == "input" else (*inputs, *dtypes.BY_NAME)


def _sizes(feature: ArrayFeature | ImageFeature) -> tuple[int | None, ...] | None:
    """Return the size of each dimension, None where several are allowed; None for no shape."""
    if isinstance(feature, ImageFeature):
        channels = 3 if feature.color in ("RGB", "BGR") else 1
        return (1, channels, *_allowed(feature.size, feature))
    return _allowed(feature.shape, feature) if feature.shape else None


def _allowed(
    default: tuple[int, ...], feature: ArrayFeature | ImageFeature
) -> tuple[int | None, ...]:
    if feature.ranges:
        return tuple(each.lower if each.lower == each.upper else None for each in feature.ranges)
    shapes = (default, *(each for each in feature.enumerated if len(each) == len(default)))
    return tuple(sizes[0] if len(set(sizes)) == 1 else None for sizes in zip(*shapes, strict=True))


def _fits_kind(kind: str, type_: ir.ValueType | None) -> bool:
    """Tell whether a value of the program is the number, text or dictionary that is described."""
    if kind == "dictionaryType":
        return isinstance(type_, ir.DictionaryType)
    kinds = {"int64Type": "int", "doubleType": "float", "stringType": "str"}
    return isinstance(type_, ir.TensorType) and type_.dtype.kind == kinds.get(kind)
