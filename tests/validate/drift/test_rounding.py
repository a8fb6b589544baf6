"""What rounding explains is above real rounding, and not far above."""

import pytest
import torch

from validate.drift.operations import FLOAT16
from validate.drift.rounding import RandomRounding, difference, explained


def half(value):
    return value.to(torch.float16).to(torch.float32)


@pytest.mark.parametrize("terms", [9, 576, 4608])
@pytest.mark.parametrize("mean", [0.0, 1.0], ids=["signed", "cancelling"])
def test_a_rounded_sum_stays_within_the_limit_and_near_it(terms, mean):
    generator = torch.Generator().manual_seed(terms)
    x = torch.randn(terms, 400, generator=generator) + 30 * mean
    w = torch.randn(32, terms, generator=generator)
    w -= mean * w.mean(1, keepdim=True)  # the sums of terms of size 30 nearly cancel
    exact = w @ x
    rounded = half(half(w) @ half(x))
    moved = half(half(w) @ RandomRounding().perturbed(half(x), FLOAT16))
    alone = half(half(w) @ half(x))
    own = difference(rounded, exact)
    limit = explained(difference(moved, alone), exact, FLOAT16)
    assert 2 * own < limit < 20 * own


def test_labels_are_compared_by_their_share():
    labels = torch.arange(10)
    other = labels.clone()
    other[3] = 0
    assert difference(other, labels) == pytest.approx(0.1)
    assert difference(other.float(), labels) == pytest.approx(0.1)


def test_integers_are_not_moved_and_runs_repeat():
    rounding, again = RandomRounding(), RandomRounding()
    labels = torch.arange(5)
    assert rounding.perturbed(labels, FLOAT16) is labels
    x = torch.rand(8)
    first = rounding.perturbed(x, FLOAT16)
    assert torch.equal(first, again.perturbed(x, FLOAT16))
    torch.testing.assert_close((first / x - 1).abs(), torch.full((8,), FLOAT16), rtol=1e-3, atol=0)


def test_values_below_the_normal_numbers_move_by_half_a_step():
    tiny = torch.full((4,), 1e-7)
    moved = RandomRounding().perturbed(tiny, FLOAT16)
    torch.testing.assert_close((moved - tiny).abs(), torch.full((4,), 2.0**-25))
