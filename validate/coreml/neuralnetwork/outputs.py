"""Lower the outputs of a network: arrays and images, or the label of a classifier."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from torch import Tensor

from models.errors import InputError
from validate.coreml import ir
from validate.coreml.features import Feature, Interface, PlainFeature
from validate.coreml.graph import Step
from validate.coreml.neuralnetwork.boundary import leaving
from validate.coreml.neuralnetwork.scope import Scope
from validate.coreml.ops.classification import classify


def lower_outputs(network: Any, interface: Interface, scope: Scope) -> dict[str, str]:
    """Lower the outputs; return the value of each, and the name under which it leaves.

    Raises:
        InputError: if no layer computes one.
    """
    labels = _class_labels(network)
    names = _classify(network, interface, labels, scope) if labels else {}
    for feature in interface.outputs:
        if feature.name in names.values():
            continue
        if not scope.has(feature.name):
            raise InputError(f"Its output {feature.name!r} is computed by no layer.")
        value = scope.read(feature.name)
        change = leaving(network, interface, feature)
        if change is not None:
            named = scope.write(feature.name)
            scope.add(Step("output", feature.name, (value,), (named,), change))
            value = named.name
        names[value] = feature.name
    return names


def renamed(
    steps: tuple[Step, ...], names: Mapping[str, str], inputs: set[str]
) -> tuple[Step, ...]:
    """Give the values that leave the network the names of its outputs.

    A value that had the name before, an earlier version, takes a number.
    """
    changes: dict[str, str] = {}
    for value, name in names.items():
        if value != name:
            if name in inputs:
                raise InputError(f"Its output {name!r} has the name of an input.")
            changes |= {value: name, name: f"{name}#1"}
    if not changes:
        return steps
    return tuple(_with_names(step, changes) for step in steps)


def _with_names(step: Step, changes: Mapping[str, str]) -> Step:
    return replace(
        step,
        inputs=tuple(changes.get(each, each) for each in step.inputs),
        outputs=tuple(ir.Named(changes.get(n.name, n.name), n.type) for n in step.outputs),
        blocks=tuple(
            replace(each, captures=tuple(changes.get(name, name) for name in each.captures))
            for each in step.blocks
        ),
    )


def _class_labels(network: Any) -> tuple[Any, ...]:
    if network.DESCRIPTOR.name != "NeuralNetworkClassifier":
        return ()
    kind = network.WhichOneof("ClassLabels")
    return tuple(getattr(network, kind).vector) if kind else ()


def _classify(
    network: Any, interface: Interface, labels: tuple[Any, ...], scope: Scope
) -> dict[str, str]:
    """Lower the outputs of a classifier: the label, and the probability of each label."""
    source = network.labelProbabilityLayerName
    if not source:
        computed = [name for layer in network.layers[-1:] for name in layer.output]
        source = next(iter(computed), "")
    value = scope.read(source)
    predicted = [each for each in interface.outputs if isinstance(each, PlainFeature)]
    written = tuple(scope.write(feature.name) for feature in predicted)
    call = partial(_predicted, tuple(predicted), labels)
    scope.add(Step("classify", "classify", (value,), written, call))
    return {named.name: each.name for named, each in zip(written, predicted, strict=True)}


def _predicted(predicted: tuple[Feature, ...], labels: tuple[Any, ...], values: Tensor) -> Any:
    """Return the dictionary of probabilities and the label, in the order of the outputs."""
    label, probabilities = classify(values, labels)
    results = tuple(
        probabilities if isinstance(each, PlainFeature) and each.kind == "dictionaryType" else label
        for each in predicted
    )
    return results[0] if len(results) == 1 else results
