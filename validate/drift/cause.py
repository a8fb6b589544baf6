"""Tell the cause of a departure, in a sentence."""

from collections.abc import Mapping, Sequence

from validate.results.drift import WeightDifference
from validate.results.numbers import percent

PREPROCESSING = (
    "the picture reaches the network otherwise than in PyTorch: its scale, the order of its "
    "colours, or its mean and deviation differ"
)


def cause_of(
    at_input: bool, weights: Sequence[WeightDifference], parameters: Mapping[str, str]
) -> str:
    """Return why an operation departs, as far as its weights and parameters tell.

    `at_input` says that it computes the network's input from the picture.
    """
    if at_input:
        return PREPROCESSING
    wrong = [each for each in weights if each.differs]
    if wrong:
        return "; ".join(_weight(each) for each in wrong)
    given = "given PyTorch's inputs"
    start = f"{given}, and with PyTorch's weights, it" if weights else f"{given}, it"
    settings = ", ".join(f"{name} {value}" for name, value in parameters.items())
    told = f" ({settings})" if settings else ""
    return f"{start} gives other values: it is another operation, or has other parameters{told}"


def _weight(wrong: WeightDifference) -> str:
    start = f"its {wrong.parameter} is not PyTorch's ({wrong.source}): it"
    if wrong.difference is None:
        return f"{start} {wrong.change}"
    size = f"differs by up to {percent(wrong.difference)} of the largest"
    return f"{start} {wrong.change} and {size}" if wrong.change else f"{start} {size}"
