"""What layers a network needs, nested networks included, and which of them the runtime lacks."""

from collections.abc import Iterator
from typing import Any

from models.errors import InputError
from validate.coreml.limits import MAX_NESTING, MissingOperation
from validate.coreml.neuralnetwork.registry import find

CONTROL_FLOW = frozenset({"branch", "loop", "loopBreak", "loopContinue"})
_NETWORKS = {"branch": ("ifBranch", "elseBranch"), "loop": ("conditionNetwork", "bodyNetwork")}


def layer_type(layer: Any) -> str:
    """Return the name of a layer's type in `NeuralNetwork.proto`, "" where it has none."""
    return layer.WhichOneof("layer") or ""


def nested_networks(layer: Any) -> Iterator[tuple[str, Any]]:
    """Yield the networks inside a layer, with the names of their fields."""
    kind = layer_type(layer)
    for field in _NETWORKS.get(kind, ()):
        params = getattr(layer, kind)
        if params.HasField(field):
            yield field, getattr(params, field)


def outputs_of(network: Any) -> Iterator[str]:
    """Yield the names of all values that a network computes, nested ones included."""
    for layer in network.layers:
        yield from layer.output
        for _, nested in nested_networks(layer):
            yield from outputs_of(nested)


def require_layers(network: Any) -> None:
    """Refuse a network with layers that the runtime does not have, naming them.

    Raises:
        MissingOperation: if there are some.
        InputError: if networks are nested too deep.
    """
    missing = list(_missing(network, "", 0))
    if missing:
        more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
        raise MissingOperation(
            "It needs layers that the reference runtime does not have: "
            f"{', '.join(missing[:10])}{more}."
        )


def _missing(network: Any, where: str, depth: int) -> Iterator[str]:
    if depth > MAX_NESTING:
        raise InputError(f"Its networks are nested deeper than {MAX_NESTING}.")
    for layer in network.layers:
        kind = layer_type(layer)
        if kind not in CONTROL_FLOW and find(kind) is None:
            described = f"{kind} {layer.custom.className!r}" if kind == "custom" else kind
            yield f"{described or 'a layer without a type'} (layer {layer.name!r}{where})"
        for field, nested in nested_networks(layer):
            yield from _missing(nested, f" in the {field} of {layer.name!r}", depth + 1)
