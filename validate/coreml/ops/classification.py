"""Compute the output of a classifier."""

from typing import Any

from torch import Tensor

from models.errors import InputError
from validate.coreml.registry import op, scalar


@op("classify")
def classify(probabilities: Tensor, classes: Any) -> tuple[Any, dict[Any, float]]:
    """Return the class of the largest probability, and each class's probability."""
    if not isinstance(classes, tuple):
        raise InputError("Its classes are no list.")
    names = tuple(scalar(each, "a class") for each in classes)
    values = probabilities.reshape(-1).tolist()
    if not values or len(names) != len(values):
        raise InputError(f"It has {len(names)} classes but {len(values)} probabilities.")
    return names[max(range(len(values)), key=values.__getitem__)], dict(
        zip(names, values, strict=True)
    )
