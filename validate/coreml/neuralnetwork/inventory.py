"""List the layers of a network, nested ones included, and refuse those that cannot be executed."""

from collections.abc import Iterator
from typing import Any

from models.errors import InputError
from validate.coreml.limits import MAX_NESTING, require_executable
from validate.coreml.neuralnetwork.registry import LAYERS

CONTROL_FLOW = frozenset({"branch", "loop", "loopBreak", "loopContinue"})
_NETWORKS = {"branch": ("ifBranch", "elseBranch"), "loop": ("conditionNetwork", "bodyNetwork")}


def layer_type(layer: Any) -> str:
    """Return the name of a layer's type in `NeuralNetwork.proto`, "" where it has none."""
    return layer.WhichOneof("layer") or ""


def nested_networks(layer: Any) -> Iterator[Any]:
    """Yield the networks inside a layer."""
    kind = layer_type(layer)
    for field in _NETWORKS.get(kind, ()):
        params = getattr(layer, kind)
        if params.HasField(field):
            yield getattr(params, field)


def all_layers(network: Any, depth: int = 0) -> Iterator[Any]:
    """Yield the layers of a network in order, those of nested networks after their own.

    Raises:
        InputError: if networks are nested too deep.
    """
    if depth > MAX_NESTING:
        raise InputError(f"Its networks are nested deeper than {MAX_NESTING}.")
    for layer in network.layers:
        yield layer
        for nested in nested_networks(layer):
            yield from all_layers(nested, depth + 1)


def outputs_of(network: Any) -> Iterator[str]:
    """Yield the names of all values that a network computes, nested ones included."""
    for layer in all_layers(network):
        yield from layer.output


def require_layers(network: Any) -> None:
    """Refuse a network with layers that the runtime does not execute, naming them.

    Raises:
        UnsupportedOperation: if Core ML has them.
        InputError: if it does not, or networks are nested too deep. A custom layer is one of these:
            its computation is no part of the file, nor of Core ML.
    """
    absent: list[str] = []
    unsupported: list[str] = []
    for layer in all_layers(network):
        kind = layer_type(layer)
        if kind in ("", "custom"):
            what = f"custom {layer.custom.className!r}" if kind else "a layer without a type"
            absent.append(f"{what} (layer {layer.name!r})")
        elif kind not in CONTROL_FLOW and kind not in LAYERS:
            unsupported.append(f"{kind} (layer {layer.name!r})")
    require_executable("It has layers", absent, unsupported)
