"""Sort, select the largest, sum cumulatively, suppress overlapping boxes."""

from typing import Any

from torch import Tensor

from validate.coreml.neuralnetwork.layers.reduction import require_axis
from validate.coreml.neuralnetwork.layers.shape import integers
from validate.coreml.neuralnetwork.registry import Arity, Compute, layer
from validate.coreml.ops import selection as ops


@layer("topK", inputs=(1, 2), outputs=(1, 2))
def top_k(params: Any, arity: Arity) -> Compute:
    """Return the largest (or smallest) elements along an axis, and their positions."""
    axis, fixed, bottom = params.axis, params.K, params.useBottomK
    both = arity.outputs == 2

    def apply(x: Tensor, k: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        require_axis(x, axis)
        (count,) = (fixed,) if k is None else integers(k)
        return ops.topk(x, count, axis, bottom, return_indices=both)

    return apply


@layer("argSort")
def arg_sort(params: Any, _: Arity) -> Compute:
    """Return the positions that sort the input along an axis."""
    axis, descending = params.axis, params.descending
    return lambda x: ops.argsort(x, axis, not descending)


@layer("cumSum", inputs=(1, 2))
def cumulative_sum(params: Any, _: Arity) -> Compute:
    """Return the sums up to each element along an axis, which may be an input."""
    fixed, exclusive, reverse = params.axis, params.excludeFinalSum, params.reverse

    def apply(x: Tensor, given: Tensor | None = None) -> Tensor:
        (axis,) = (fixed,) if given is None else integers(given)
        require_axis(x, axis)
        return ops.cumsum(x, axis, exclusive, reverse)

    return apply


@layer("NonMaximumSuppression", inputs=(2, 5), outputs=(3, 4))
def non_maximum_suppression(params: Any, arity: Arity) -> Compute:
    """Keep boxes `(N, B, 4)` that no better one overlaps; thresholds and number may be inputs."""
    fixed = (params.iouThreshold, params.scoreThreshold, params.maxBoxes)
    per_class, outputs = params.perClassSuppression, arity.outputs

    def apply(boxes: Tensor, scores: Tensor, *given: Tensor) -> tuple[Tensor, ...]:
        values = (*(float(each) for each in given), *fixed[len(given) :])
        iou, floor, most = values
        kept = ops.non_maximum_suppression(boxes, scores, iou, floor, int(most), per_class)
        return kept[:outputs]

    return apply
