"""Tell the specification version that each layer of a neural network needs.

Source: `hasIOS12NewNeuralNetworkLayers`, `isIOS12NeuralNetworkLayer` and
`hasIOS14NeuralNetworkFeatures` in coremltools' `mlmodel/src/Utils.cpp`.
"""

from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message  # type: ignore[import-untyped]

from validate.coreml.neuralnetwork.inventory import all_layers, layer_type
from validate.coreml.reader.specification import NeuralNetwork_pb2
from validate.coreml.reader.versions import Need

_FIRST_OF_IOS_13, _FIRST_OF_IOS_14 = 600, 1450
"""`NeuralNetworkLayer` numbers its layers in the order of the versions that brought them."""
_LAYERS_OF_IOS_12 = ("resizeBilinear", "cropResize")
_ALLOWED_IN_IOS_13 = ("sliceBySize",)
"""New in iOS 14, but coremltools' builder writes them, and 8-bit activations, into files of iOS 13,
and its tests expect Core ML to run those."""


def network_needs(network: Any, version: int) -> Iterator[Need]:
    """Yield what a network uses, with the oldest version that has it.

    Args:
        network: the `NeuralNetwork` message, or that of a classifier or regressor.
        version: the model's own; what every version has from there on may be left out.
    """
    if network.arrayInputShapeMapping or network.imageInputShapeMapping:
        yield 4, "the mapping of its inputs to exact shapes"
    for layer in all_layers(network):
        yield layer_version(layer), f"the layer {layer.name!r} ({layer_type(layer)})"
        if version < 3:  # only then are the weights, which may be large, looked at
            yield from _weight_needs(layer)


def layer_version(layer: Any) -> int:
    """Return the oldest specification version that has a layer with its parameters."""
    kind = layer_type(layer)
    if kind in _LAYERS_OF_IOS_12:
        return 3
    number = layer.DESCRIPTOR.fields_by_name[kind].number if kind else 0
    is_new = number >= _FIRST_OF_IOS_14 and kind not in _ALLOWED_IN_IOS_13
    if is_new or _has_parameters_of_ios_14(layer):
        return 5
    takes_weights = kind == "convolution" and len(layer.input) > 1
    return 4 if number >= _FIRST_OF_IOS_13 or takes_weights else 1


def _has_parameters_of_ios_14(layer: Any) -> bool:
    upsample, rearranged = layer.upsample, layer.reorganizeData
    return bool(
        upsample.linearUpsampleMode
        or upsample.fractionalScalingFactor
        or rearranged.mode == NeuralNetwork_pb2.ReorganizeDataLayerParams.PIXEL_SHUFFLE
        or layer.concatND.interleave
        or layer.sliceDynamic.squeezeMasks
        or (layer.HasField("sliceDynamic") and len(layer.input) == 7)
    )


def _weight_needs(message: Any) -> Iterator[Need]:
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for each in (value,) if isinstance(value, Message) else value:
            if each.DESCRIPTOR.name != "WeightParams":
                yield from _weight_needs(each)
            elif each.float16Value:
                yield 2, "a float16 weight"
            elif each.rawValue:
                yield 3, "a quantized weight"
