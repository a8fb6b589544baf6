"""The IoU of masks and of their outlines, and what it is held against."""

import numpy as np
import pytest

from validate.metrics.mask_quality import FEW, MaskQuality, count_masks, overlaps
from validate.runtimes import Outputs


def outputs(mask: np.ndarray) -> Outputs:
    """Outputs of two exclusive classes with `mask (H, W)`."""
    return Outputs(np.zeros((2, *mask.shape), np.float32), mask.astype(np.int32))


def square(size: int, side: int, at: int = 20) -> np.ndarray:
    mask = np.zeros((size, size), bool)
    mask[at : at + side, at : at + side] = True
    return mask


def by_hand(mask: np.ndarray, distance: int) -> np.ndarray:
    """The pixels of `mask` with one outside of it in their window."""
    rows, columns = mask.shape
    found = np.zeros_like(mask)
    for y, x in zip(*np.nonzero(mask), strict=True):
        window = mask[
            max(0, y - distance) : min(rows, y + distance + 1),
            max(0, x - distance) : min(columns, x + distance + 1),
        ]
        found[y, x] = not window.all()
    return found


def test_areas_and_outlines_are_counted_as_by_hand() -> None:
    first, second = square(100, 50), square(100, 50, at=22)
    counts = count_masks(outputs(first), outputs(second))
    distance = round(0.02 * np.hypot(100, 100))
    edges = by_hand(first, distance), by_hand(second, distance)
    for found, (one, other) in ((counts.areas, (first, second)), (counts.boundaries, edges)):
        expected = [one.sum(), other.sum(), (one & other).sum(), (one | other).sum()]
        assert found[1].tolist() == expected
    assert overlaps(counts.boundaries)[1].iou < overlaps(counts.areas)[1].iou


def test_the_edge_of_the_picture_is_no_outline() -> None:
    counts = count_masks(outputs(np.ones((40, 40), bool)), outputs(np.ones((40, 40), bool)))
    assert counts.areas[1].tolist() == [1600] * 4
    assert not counts.boundaries.any()


def test_the_background_has_no_outline_of_its_own() -> None:
    assert not count_masks(outputs(square(64, 10)), outputs(square(64, 10))).boundaries[0].any()


def test_independent_channels_are_counted_each() -> None:
    masks = np.stack([square(64, 10), square(64, 20)]).astype(np.int32)
    given = Outputs(np.zeros((2, 64, 64), np.float32), masks)
    counts = count_masks(given, given)
    assert counts.areas[:, 0].tolist() == [100, 400]
    assert counts.boundaries[0].all()


def test_counts_add_up() -> None:
    one = count_masks(outputs(square(64, 10)), outputs(square(64, 12)))
    assert ((one + one).areas == 2 * one.areas).all()


def quality(first: np.ndarray, second: np.ndarray, min_iou: float) -> MaskQuality:
    counts = count_masks(outputs(first), outputs(second))
    areas, boundaries = overlaps(counts.areas), overlaps(counts.boundaries)
    return MaskQuality("palette4", min_iou, areas, boundaries, proven=True)


def test_a_class_below_the_least_iou_is_named() -> None:
    found = quality(square(100, 50), square(100, 45), 0.9).violations(("background", "damage"))
    assert found[0] == (
        "its mask of damage has an IoU of 0.810 to PyTorch's, and MIN_IOU=0.9 is required"
    )
    assert any(each.startswith("its outline of damage") for each in found)
    assert not quality(square(100, 50), square(100, 45), 0.0).violations(("background", "damage"))


@pytest.mark.parametrize("side", [3, 11])
def test_a_class_of_few_pixels_tells_nothing(side: int) -> None:
    assert side**2 < FEW
    found = quality(square(200, side), square(200, side - 1), 0.99)
    assert not found.violations(("background", "damage"))
