import math

import numpy as np
import pytest

from validate.metrics.comparison import compare, measure
from validate.metrics.decision_values import scale_of
from validate.metrics.margins import boundary, margins
from validate.runtimes import Outputs


def outputs(logits, mask=None):
    logits = np.asarray(logits, np.float32)
    decided = logits.argmax(0) if len(logits) > 1 else logits[0] > 0
    return Outputs(logits, np.asarray(decided if mask is None else mask, np.int32))


def measured(reference, candidate, limit=1e-3, slack=0.0):
    return measure(compare(reference, candidate, limit, slack))


def random_pair(classes, seed=0, noise=0.1):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(classes, 8, 9))
    return outputs(logits), outputs(logits + noise * rng.normal(size=logits.shape))


def test_equal_outputs_have_no_error():
    reference, _ = random_pair(3)
    metrics = measured(reference, reference)
    assert (metrics.max_error, metrics.psnr, metrics.snr, metrics.agreement) == (0, None, None, 1)
    assert metrics.cosine == pytest.approx(1)
    assert metrics.flips == metrics.decisive_flips == metrics.off_mask == 0


def test_known_answer_of_one_channel():
    metrics = measured(outputs([[[4.0, -6.0]]]), outputs([[[4.1, -6.0]]]))
    assert metrics.ranges == (10,)
    assert metrics.max_error == pytest.approx(0.1)
    assert metrics.relative_error == pytest.approx(0.01)
    assert metrics.mean_error == pytest.approx(0.05)
    assert metrics.rms_error == pytest.approx(0.1 / math.sqrt(2))
    assert metrics.psnr == pytest.approx(20 * math.log10(10 * math.sqrt(2) / 0.1))
    assert metrics.snr == pytest.approx(10 * math.log10(52 / 0.01))


def test_known_answer_of_exclusive_classes():
    """Of classes, only differences count: of 4 and 0, 2 and -2 are left, of an error a half."""
    reference = outputs([[[4.0, -6.0]], [[0.0, 0.0]]])
    metrics = measured(reference, outputs([[[4.0, -6.0]], [[0.1, 0.0]]]))
    assert metrics.ranges == (6,)
    assert metrics.max_error == pytest.approx(0.05)
    assert metrics.relative_error == pytest.approx(0.05 / 6)
    assert metrics.mean_error == pytest.approx(0.025)
    assert metrics.rms_error == pytest.approx(0.05 / math.sqrt(2))
    assert metrics.snr == pytest.approx(10 * math.log10(26 / 0.005))


def test_peak_is_the_references_and_includes_zero():
    reference = outputs(np.full((1, 2, 2), -5.0))
    assert measured(reference, outputs(np.full((1, 2, 2), -50.0))).ranges == (5,)


@pytest.mark.parametrize("classes", [2, 16])
def test_what_all_classes_share_changes_no_figure(classes):
    reference, candidate = random_pair(classes, noise=2.0)
    moved = [
        Outputs(np.float32(side.logits + 4096.0), side.mask) for side in (reference, candidate)
    ]
    plain, shifted = measured(reference, candidate), measured(*moved)
    assert shifted.decisive_flips == plain.decisive_flips > 0
    for name in ("max_error", "relative_error", "psnr", "snr", "cosine", "margin"):
        assert getattr(shifted, name) == pytest.approx(getattr(plain, name), rel=0.01), name


def test_an_offset_of_the_candidate_alone_is_told_apart():
    """Softmax and argmax do not see it, so it is no error of the mask."""
    reference, _ = random_pair(3)
    shifted = Outputs(reference.logits + np.float32(64), reference.mask)
    found = measured(reference, shifted)
    assert found.relative_error < 1e-4
    assert found.shared_error == pytest.approx(64 / np.abs(reference.logits).max())
    assert measured(reference, reference).shared_error == 0


def test_one_channel_and_independent_ones_share_nothing():
    reference = outputs([[[4.0, -6.0]]])
    assert measured(reference, outputs([[[9.0, -1.0]]])).shared_error == 0
    channels = Outputs(np.float32([[[4.0]], [[-6.0]]]), np.int32([[[1]], [[0]]]))
    moved = Outputs(channels.logits + 5, channels.mask)
    assert measured(channels, moved).shared_error == 0


@pytest.mark.parametrize("size", [1e-4, 2e6])
def test_the_size_of_the_logits_does_not_matter(size):
    reference, candidate = random_pair(2)
    scaled = [Outputs(np.float32(side.logits * size), side.mask) for side in (reference, candidate)]
    plain, found = measured(reference, candidate), measured(*scaled)
    assert found.decisive_flips == plain.decisive_flips
    assert found.psnr == pytest.approx(plain.psnr, abs=0.01)


def test_classes_that_tie_everywhere_agree_with_themselves_only():
    tie = outputs(np.full((2, 3, 3), 0.3))
    assert measured(tie, tie).psnr is None
    other = outputs([np.full((3, 3), 0.3), np.full((3, 3), 0.4)])
    assert measured(tie, other).relative_error > 1
    assert math.isfinite(measured(tie, other).relative_error)


def test_a_picture_of_one_colour_is_measured_on_the_scale_of_the_set():
    lively, flat = outputs([[[8.0, -8.0]]]), outputs([[[0.01, 0.01]]])
    noisy = outputs([[[0.03, 0.03]]])
    scale = scale_of([lively, flat])
    assert measure(compare(flat, noisy, 1e-3, 0.0)).relative_error == pytest.approx(2)
    assert measure(compare(flat, noisy, 1e-3, 0.0, scale)).relative_error == pytest.approx(0.00125)


@pytest.mark.parametrize("classes", [1, 2, 5])
def test_the_sum_of_pictures_is_the_picture_of_both(classes):
    pairs = [random_pair(classes, seed) for seed in (1, 2)]
    parts = [compare(*pair, 1e-3, 0.0) for pair in pairs]
    joined = [
        Outputs(np.concatenate([o.logits for o in side], 1), np.concatenate([o.mask for o in side]))
        for side in zip(*pairs, strict=True)
    ]
    total, whole = measure(parts[0] + parts[1]), measured(*joined)
    for name in ("max_error", "mean_error", "rms_error", "psnr", "snr", "cosine", "agreement"):
        assert getattr(total, name) == pytest.approx(getattr(whole, name))
    assert total.classes == whole.classes
    assert total.margin == pytest.approx(whole.margin)
    assert total.undecided == pytest.approx(whole.undecided)


def test_iou_counts_and_an_empty_class_is_not_one():
    zero, one = [[1.0, 1.0, 1.0, 0.0]], [[0.0, 0.0, 0.0, 1.0]]
    nothing = [[-9.0] * 4]
    reference = outputs([zero, one, nothing])
    candidate = outputs([zero, one, nothing], mask=[[0, 0, 1, 1]])
    background, damage, empty = measured(reference, candidate, slack=1.0).classes
    assert (background.reference, background.candidate) == (3, 2)
    assert (background.intersection, background.union) == (2, 3)
    assert (damage.intersection, damage.union, damage.iou) == (1, 2, 0.5)
    assert (empty.intersection, empty.union, empty.iou) == (0, 0, None)


def test_flips_at_boundaries_are_counted_apart():
    damage = np.zeros((5, 6))
    damage[1:3, 2:4] = 5.0
    reference = outputs([np.full((5, 6), 1.0), damage])
    mask = reference.mask.copy()
    mask[1, 1] = 1  # beside the damage
    mask[4, 5] = 1  # far from it
    metrics = measured(reference, outputs(reference.logits, mask), slack=1.0)
    assert (metrics.boundary.pixels, metrics.boundary.flips) == (12, 1)
    assert (metrics.interior.pixels, metrics.interior.flips) == (18, 1)
    assert metrics.interior.agreement == pytest.approx(17 / 18)
    assert metrics.margin == pytest.approx((26 * 1 + 4 * 4) / 30)


def test_a_mask_of_one_label_has_no_boundary():
    flat = outputs([[[3.0, 3.0]], [[0.0, 0.0]]])
    assert measured(flat, flat).boundary.agreement is None
    assert measured(flat, flat).interior.agreement == 1


def test_boundary_against_a_loop_over_neighbours():
    mask = np.random.default_rng(0).integers(0, 3, (7, 9)).astype(np.int32)
    around = np.pad(mask, 1, mode="edge")
    steps = ((0, 1), (0, -1), (1, 0), (-1, 0))
    expected = [
        [any(around[1 + r + a, 1 + c + b] != mask[r, c] for a, b in steps) for c in range(9)]
        for r in range(7)
    ]
    assert np.array_equal(boundary(mask), expected)


def test_undecided_pixels_are_those_that_a_tolerated_error_overcomes():
    reference = outputs([[[10.0, 0.0199, 0.0201, 5.0]], [[0.0, 0.0, 0.0, 0.0]]])  # range: 10
    assert measured(reference, reference, limit=1e-3).undecided == 0.25


@pytest.mark.parametrize(
    ("gap", "decisive"),
    [(0.0199, 0), (0.0201, 1)],  # twice the tolerated error, 0.1 % of a range of 10
)
def test_a_flip_is_decisive_beyond_what_errors_of_two_logits_explain(gap, decisive):
    reference = outputs([[[10.0, gap]], [[0.0, 0.0]]])
    metrics = measured(reference, outputs(reference.logits, mask=[[0, 1]]), limit=1e-3)
    assert (metrics.flips, metrics.decisive_flips) == (1, decisive)


@pytest.mark.parametrize(("logit", "decisive"), [(0.0099, 0), (0.0101, 1)])
def test_one_channel_moves_against_zero_alone(logit, decisive):
    reference = outputs([[[10.0, logit]]])
    metrics = measured(reference, outputs(reference.logits, mask=[[1, 0]]), limit=1e-3)
    assert (metrics.flips, metrics.decisive_flips) == (1, decisive)


@pytest.mark.parametrize("classes", [1, 2, 4])
def test_a_mask_that_contradicts_its_own_logits_is_counted(classes):
    reference, _ = random_pair(classes)
    wrong = reference.mask.copy()
    wrong[3, 4] = (wrong[3, 4] + 1) % max(2, classes)
    assert measured(reference, outputs(reference.logits, wrong)).off_mask == 1


def test_a_tie_may_go_to_either_class():
    tie = outputs([[[1.0]], [[1.0]]])
    assert measured(tie, outputs(tie.logits, mask=[[1]])).off_mask == 0


def test_margins_against_sorting():
    logits = np.random.default_rng(0).normal(size=(6, 4, 4)).astype(np.float32)
    ordered = np.sort(logits, axis=0)
    assert np.array_equal(margins(logits), ordered[-1] - ordered[-2])
    assert np.array_equal(margins(logits[:1]), np.abs(logits[0]))
