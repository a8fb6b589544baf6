"""Check a model's specification version against what the model uses.

Sources: the comments of `Model.proto` and `FeatureTypes.proto`, coremltools' tables `_MINIMUM_…`,
`_SPECIFICATION_VERSION_IOS_…` and `_OPSET`, and the functions `has…Features` of its
`mlmodel/src/Utils.cpp`, by which Core ML itself finds the oldest version that a model needs.
"""

from collections.abc import Iterator
from typing import Any

from models.errors import InputError
from validate.coreml.reader.specification import FeatureTypes_pb2

IOS = {1: "11", 2: "11.2", 3: "12", 4: "13", 5: "14", 6: "15", 7: "16", 8: "17", 9: "18", 10: "26"}
OPSETS = {"CoreML5": 6, "CoreML6": 7, "CoreML7": 8, "CoreML8": 9, "CoreML9": 10}
"""The specification version of each opset of ML programs."""

_ARRAY_TYPES = {
    FeatureTypes_pb2.ArrayFeatureType.FLOAT16: (7, "FLOAT16"),
    FeatureTypes_pb2.ArrayFeatureType.INT8: (10, "INT8"),
}
NETWORKS = ("neuralNetwork", "neuralNetworkClassifier", "neuralNetworkRegressor")

Need = tuple[int, str]
"""The oldest version that has something, and the words for it."""


def check_version(model: Any) -> None:
    """Compare the specification version of a `Model` message with what the model uses.

    Raises:
        InputError: if there is no such version, or it is too old.
    """
    version = model.specificationVersion
    if version not in IOS:
        raise InputError(
            f"Its specification version is {version}, but there are only 1 to {max(IOS)} "
            f"(iOS {IOS[1]} to iOS {IOS[max(IOS)]})."
        )
    for needed, what in _needs(model):
        if version < needed:
            raise InputError(
                f"Its specification version is {version} (iOS {IOS[version]}), but {what} needs "
                f"{needed} (iOS {IOS[needed]}) or newer."
            )


def _needs(model: Any) -> Iterator[Need]:
    kind = model.WhichOneof("Type")
    if kind == "mlProgram":
        yield 6, "an ML program"
        for name, function in model.mlProgram.functions.items():
            yield OPSETS.get(function.opset, 1), f"the opset {function.opset} of {name!r}"
    if model.isUpdatable:
        yield 4, "a model that can be updated"
    if model.description.functions:
        yield 9, "a description of several functions"
    for description in (model.description, *model.description.functions):
        yield from _description_needs(description)
    if kind in NETWORKS:
        from validate.coreml.neuralnetwork.versions import network_needs

        yield from network_needs(getattr(model, kind), model.specificationVersion)


def _description_needs(description: Any) -> Iterator[Need]:
    for feature in (*description.input, *description.output, *description.state):
        what = f"of {feature.name!r}"
        image, array = feature.type.imageType, feature.type.multiArrayType
        if array.dataType in _ARRAY_TYPES:
            needed, name = _ARRAY_TYPES[array.dataType]
            yield needed, f"the type {name} {what}"
        if image.colorSpace == image.GRAYSCALE_FLOAT16:
            yield 7, f"the colour space GRAYSCALE_FLOAT16 {what}"
        if image.WhichOneof("SizeFlexibility") or array.WhichOneof("ShapeFlexibility"):
            yield 3, f"the flexible shape {what}"
        if feature.type.isOptional and array.WhichOneof("defaultOptionalValue"):
            yield 5, f"the default value {what}"
        if feature.type.WhichOneof("Type") == "stateType":
            yield 9, f"the state {feature.name!r}"
