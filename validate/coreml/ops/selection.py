# ruff: noqa: PLR0913, PLR0917 (parameters are those of the MIL operations)
"""Sort, select the largest, sum cumulatively, suppress overlapping boxes."""

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.limits import require_size
from validate.coreml.registry import op


@op("argsort")
def argsort(x: Tensor, axis: int = -1, ascending: bool = False) -> Tensor:
    """Return the positions that sort x along an axis, equal elements in their order."""
    return x.argsort(dim=axis, descending=not ascending, stable=True).to(torch.int32)


@op("topk", exact=True)
def topk(
    x: Tensor,
    k: int = 1,
    axis: int = -1,
    ascending: bool = False,
    sort: bool = True,  # noqa: ARG001 (sorted is one of the orders that unsorted allows)
    return_indices: bool = True,
    output_indices_dtype: str = "int32",  # noqa: ARG001 (int32 holds either)
) -> tuple[Tensor, Tensor] | Tensor:
    """Return the k largest (or smallest) elements along an axis and their positions; all for -1."""
    count = x.shape[axis] if k == -1 else k
    values, indices = x.sort(dim=axis, descending=not ascending, stable=True)
    values = values.narrow(axis, 0, count)
    if not return_indices:
        return values
    return values, indices.narrow(axis, 0, count).to(torch.int32)


@op("cumsum")
def cumsum(x: Tensor, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Tensor:
    """Return the sums up to each element, from the other end if `reverse`."""
    values = x.flip(axis) if reverse else x
    sums = values.cumsum(axis)
    sums = (sums - values if exclusive and not x.is_floating_point() else sums).to(x.dtype)
    if exclusive and x.is_floating_point():
        first = torch.zeros_like(values.narrow(axis, 0, 1))
        sums = torch.cat((first, sums.narrow(axis, 0, max(x.shape[axis] - 1, 0))), axis)
    return sums.flip(axis) if reverse else sums


def _overlaps(boxes: Tensor) -> Tensor:
    """Return the intersection over union of each pair of boxes `(B, 4)`: centre x, y, w, h."""
    centre, size = boxes[:, :2], boxes[:, 2:]
    low, high = centre - size / 2, centre + size / 2
    top = torch.maximum(low[:, None], low[None])
    bottom = torch.minimum(high[:, None], high[None])
    intersection = (bottom - top).clamp(min=0).prod(-1)
    area = size.prod(-1)
    union = area[:, None] + area[None] - intersection
    return torch.where(union > 0, intersection / union, 0.0)


def _suppress(boxes: Tensor, scores: Tensor, iou: float, floor: float, per_class: bool) -> Tensor:
    """Return the boxes that are kept, best first; the best one where none is."""
    require_size((len(boxes), len(boxes), 2), "its overlaps")
    best, classes = scores.max(-1)
    order = best.argsort(descending=True, stable=True)
    overlaps = _overlaps(boxes) > iou
    if per_class:
        overlaps &= classes[:, None] == classes[None]
    alive = best >= floor
    kept = []
    for index in order.tolist():
        if alive[index]:
            kept.append(index)
            alive &= ~overlaps[index]
    return torch.tensor(kept) if kept else order[:1]


@op("non_maximum_suppression")
def non_maximum_suppression(
    boxes: Tensor,
    scores: Tensor,
    iou_threshold: float,
    score_threshold: float,
    max_boxes: int,
    per_class_suppression: bool = False,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Keep boxes `(N, B, 4)` that no better one overlaps, by scores `(N, B, K)`.

    Returns boxes, scores, positions and their number; places that are left hold 0, 0 and -1.
    """
    if boxes.dim() != 3 or scores.dim() != 3 or boxes.shape[:2] != scores.shape[:2]:
        raise InputError("It has boxes and scores of shapes that do not fit.")
    count, _, classes = scores.shape
    require_size((count, max_boxes, classes + 4), "its result")
    kept_boxes = torch.zeros((count, max_boxes, 4))
    kept_scores = torch.zeros((count, max_boxes, classes))
    positions = torch.full((count, max_boxes), -1, dtype=torch.int32)
    numbers = torch.zeros(count, dtype=torch.int32)
    for n in range(count):
        kept = _suppress(
            boxes[n], scores[n], iou_threshold, score_threshold, per_class_suppression
        )[:max_boxes]
        kept_boxes[n, : len(kept)] = boxes[n, kept]
        kept_scores[n, : len(kept)] = scores[n, kept]
        positions[n, : len(kept)] = kept.to(torch.int32)
        numbers[n] = len(kept)
    return kept_boxes, kept_scores, positions, numbers


@op("non_maximum_suppression", since=17)
def non_maximum_suppression_ios17(
    boxes: Tensor,
    scores: Tensor,
    iou_threshold: float,
    max_boxes: int,
    per_class_suppression: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """Suppress boxes `(N, 4, B)` with scores `(N, K, B)`, whatever their score."""
    kept_boxes, kept_scores, positions, _ = non_maximum_suppression(
        boxes.mT, scores.mT, iou_threshold, float("-inf"), max_boxes, per_class_suppression
    )
    return kept_boxes.mT, kept_scores.mT, positions
