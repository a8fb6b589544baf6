"""Limits follow the network's own noise, in both directions and within bounds."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from models.deployable import Deployable
from models.specification import InputContract
from validate.metrics.comparison import ClassOverlap, compare, measure
from validate.metrics.float16_noise import Noise, float16_noise
from validate.metrics.tolerances import (
    NOISE_LIMITS,
    TABLE,
    overlap,
    row_of,
    tolerance_for,
    violations,
)
from validate.runtimes import Outputs
from validate.runtimes.eager import Eager

FP32, FP16 = ("mlprogram", "float32"), ("mlprogram", "float16")
BOUNDS16, BOUNDS32 = NOISE_LIMITS["float16"], NOISE_LIMITS["float32"]


class Head(nn.Module):
    """A layer whose differences are small, and a head that adds `offset` to all classes."""

    def __init__(self, offset, classes=2):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.body = nn.Conv2d(3, 8, 3, padding=1)
        self.head = nn.Conv2d(8, classes, 1)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator))
            self.head.bias.add_(offset)

    def forward(self, image):
        return self.head(self.body(image).relu())


def noise_of(network, independent=False):
    deployable = Deployable(network, InputContract(16, 16), independent=independent)
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    return float16_noise(deployable, [(image, Eager(deployable).run(image))])


def decided(logits):
    logits = np.asarray(logits, np.float32)
    return Outputs(logits, logits.argmax(0).astype(np.int32))


def test_float16_limits_follow_the_networks_own_noise():
    found = tolerance_for(FP16, Noise(0.01, 55.0))
    assert found.max_error == pytest.approx(0.06)
    assert found.min_psnr == pytest.approx(55 - 9.54, abs=0.01)
    quiet = tolerance_for(FP16, Noise(1e-4, 95.0))
    assert (quiet.max_error, quiet.min_psnr) == BOUNDS16.strictest
    ruined = tolerance_for(FP16, Noise(0.9, 5.0))
    assert (ruined.max_error, ruined.min_psnr) == BOUNDS16.loosest
    assert tolerance_for(FP16, None) == TABLE[FP16]


def test_float32_limits_follow_it_too():
    """13 bits more, and a large number that all classes share is rounded as well."""
    found = tolerance_for(FP32, Noise(0.005, 63.0))
    assert found.max_error == pytest.approx(1.6e-4, rel=0.05)
    assert found.min_psnr == pytest.approx(63 + 78.3 - 48.2, abs=0.2)
    quiet = tolerance_for(FP32, Noise(1e-4, 95.0))
    assert (quiet.max_error, quiet.min_psnr) == BOUNDS32.strictest
    for noise in (Noise(0.1, 30.0), Noise(1e-4, 95.0, magnitude=200.0)):
        loose = tolerance_for(FP32, noise)
        assert (loose.max_error, loose.min_psnr) == BOUNDS32.loosest


def test_a_network_that_rounding_does_not_touch_has_the_strictest_limits():
    for row in (FP16, FP32):
        found = tolerance_for(row, Noise(0.0, None))
        assert (found.max_error, found.min_psnr) == NOISE_LIMITS[row[1]].strictest


def test_every_bound_is_within_the_other():
    for limits in NOISE_LIMITS.values():
        assert limits.strictest[0] < limits.loosest[0]
        assert limits.strictest[1] > limits.loosest[1]


def test_what_all_classes_share_is_no_noise():
    """Float16 has to be blamed for what it loses there, so that it is mended."""
    plain, moved = noise_of(Head(0)), noise_of(Head(1000))
    assert moved.psnr == pytest.approx(plain.psnr, abs=1)
    assert moved.relative_error == pytest.approx(plain.relative_error, rel=0.3)
    assert plain.magnitude < 10 < 50 * plain.magnitude < moved.magnitude


def test_a_channel_of_its_own_is_rounded_as_it_stands():
    """One that is decided against zero has no other to share a number with."""
    assert noise_of(Head(1000), independent=True).psnr > 60  # the range reaches from zero to 1,000


def test_core_ml_itself_computes_neural_networks_in_float16():
    assert row_of("neuralnetwork", "float32", "Core ML")[1] == "float16"
    assert row_of("neuralnetwork", "float32", "Core ML reference")[1] == "float32"
    assert row_of("mlprogram", "float32", "Core ML")[1] == "float32"


def test_each_limit_has_its_sentence():
    rng = np.random.default_rng(0)
    reference = decided(rng.normal(size=(2, 32, 32)))
    noisy = reference.logits + 2 * rng.normal(size=reference.logits.shape).astype(np.float32)
    noisy += 9
    metrics = measure(compare(reference, Outputs(noisy, 1 - decided(noisy).mask), 1e-3, 0.0))
    found = violations(metrics, metrics.relative_error, TABLE[FP32], ("background", "dent"))
    words = (
        "largest error",
        "PSNR",
        "decided otherwise",
        "own logits",
        "all classes share",
        "not proven",
    )
    assert [word in text for word, text in zip(words, found, strict=True)] == [True] * 6
    assert "its mask of background" in found[5] or "its mask of dent" in found[5]
    clean = measure(compare(reference, reference, 1e-3, 0.0))
    assert violations(clean, clean.relative_error, TABLE[FP32]) == ()


def test_undecided_is_not_passed():
    """Every flip is within the tolerated error, and a third of a class is gone."""
    reference = decided([np.zeros((40, 40)), np.full((40, 40), -9.0)])
    reference.logits[1, :20] = 0.01
    reference.mask[:20] = 1
    other = reference.logits.copy()
    other[1, :7] = -0.01
    metrics = measure(compare(reference, decided(other), 1e-2, 0.0))
    tolerance = replace(TABLE[FP16], min_psnr=25.0)
    assert metrics.decisive_flips == 0
    assert metrics.relative_error < tolerance.max_error
    (sentence,) = violations(metrics, metrics.relative_error, tolerance, ("background", "dent"))
    assert "its mask of dent is not proven: 280 of 800 pixels differ" in sentence
    assert "50 % of all pixels are decided by less than the tolerated error" in sentence


@pytest.mark.parametrize(
    ("union", "differing", "passes"),
    [(0, 0, True), (10, 10, True), (40, 40, False), (1000, 80, True), (1000, 100, False)],
)
def test_a_spot_of_few_pixels_does_not_fail_a_file(union, differing, passes):
    same = union - differing
    found = ClassOverlap(union, same, same, union, same / union if union else None)
    assert (overlap(found) >= TABLE[FP16].min_iou) == passes
