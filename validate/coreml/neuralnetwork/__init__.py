"""Lowers the layers of a NeuralNetwork to the executable steps of `validate.coreml.graph`."""

from typing import Any

from models.errors import InputError
from validate.coreml.features import Interface
from validate.coreml.graph import Graph


def lower(network: Any, interface: Interface) -> Graph:
    """Lower a `NeuralNetwork` message (or that of a classifier or regressor).

    Raises:
        InputError: if a layer is missing in the runtime, or malformed.
    """
    raise InputError(
        f"It is a NeuralNetwork of {len(network.layers)} layers with {len(interface.inputs)} "
        "inputs; only ML programs are run."
    )
