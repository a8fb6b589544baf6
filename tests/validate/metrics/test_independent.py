"""Channels that are independent of each other: compared one by one, and painted."""

import base64
import io
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from models.deployable import Deployable, decide
from models.labels import colour_of
from models.specification import InputContract, Specification
from validate.images.overlay import as_rgb
from validate.metrics.comparison import compare, measure
from validate.metrics.margins import boundary
from validate.report.data_uri import mask_uri
from validate.report.gallery import gallery
from validate.results.thumbnails import reduced, shown_picture
from validate.runtimes import MalformedOutput, Outputs
from validate.runtimes.interface import checked_outputs

NETWORK = Specification("f", "A", 3, 3, stride=1, arguments={}, activation="sigmoid")
RNG = np.random.default_rng(2)


def independent(logits):
    logits = np.asarray(logits, np.float32)
    return Outputs(logits, (logits > 0).astype(np.int32))


def channel(outputs, index):
    """One channel as a network that has no other would give it."""
    return Outputs(outputs.logits[index : index + 1], outputs.mask[index])


def pair(noise=0.3):
    logits = RNG.normal(size=(4, 9, 8))
    logits[:, 0, 0], logits[:, 0, 1] = -5, 5  # so that every channel has the same range
    return independent(logits), independent(logits + noise * RNG.uniform(-1, 1, logits.shape))


def test_the_comparison_is_the_sum_of_its_channels():
    reference, candidate = pair()
    whole = compare(reference, candidate, limit=0.02, slack=1e-6)
    parts = [
        compare(channel(reference, i), channel(candidate, i), limit=0.02, slack=1e-6)
        for i in range(4)
    ]
    total = sum(parts[1:], start=parts[0])
    assert (whole.logits, whole.off_mask) == (total.logits, total.off_mask)
    for name in ("max_error", "error", "squared_error", "product"):
        expected = np.concatenate([getattr(part, name) for part in parts])
        assert getattr(whole, name) == pytest.approx(expected), name
    assert whole.decisions.boundary == total.decisions.boundary
    assert whole.decisions.boundary_flips == total.decisions.boundary_flips
    assert whole.decisions.undecided == total.decisions.undecided
    assert whole.decisions.margin == pytest.approx(total.decisions.margin)
    assert whole.decisions.decisive_flips == total.decisions.decisive_flips > 0
    assert np.array_equal(whole.confusion, [part.confusion for part in parts])
    found, alone = measure(whole), [measure(part) for part in parts]
    assert found.classes == tuple(each.classes[1] for each in alone)
    assert found.flips == sum(each.flips for each in alone) > 0
    assert found.pixels == 4 * 9 * 8
    assert measure(whole + whole).agreement == found.agreement


def test_known_counts():
    reference = independent([[[1.0, 1.0, -1.0]], [[9.0, -9.0, -9.0]], [[-1.0, -1.0, -1.0]]])
    candidate = independent([[[1.0, -1.0, -1.0]], [[9.0, -9.0, -9.0]], [[-1.0, -1.0, -1.0]]])
    found = measure(compare(reference, candidate, limit=0.01, slack=0))
    assert [each.iou for each in found.classes] == [0.5, 1.0, None]
    assert (found.flips, found.pixels, found.decisive_flips) == (1, 9, 1)
    assert measure(compare(reference, candidate, limit=0.5, slack=0)).decisive_flips == 0
    assert found.boundary.pixels == 4  # two in each of the first two channels


def test_a_mask_that_contradicts_its_logits_in_one_channel_is_counted():
    reference, _ = pair()
    mask = reference.mask.copy()
    mask[2, 0, :2] ^= 1
    off = compare(reference, Outputs(reference.logits, mask), limit=0.02, slack=1e-6)
    assert off.off_mask == off.decisions.decisive_flips == 2


@pytest.mark.parametrize("fault", [np.negative, np.zeros_like, lambda weak: weak - 1])
def test_a_weak_channel_is_judged_by_its_own_range(fault):
    """Its logits are a thousandth of the others', and its mask is as good as theirs."""
    strong = RNG.normal(size=(2, 9, 8)) * 8
    weak = strong[:1] / 1000
    reference = independent(np.concatenate([strong, weak]))
    broken = independent(np.concatenate([strong, fault(weak)]))
    found = measure(compare(reference, broken, limit=0.01, slack=1e-6))
    assert found.relative_error > 0.4
    assert found.psnr < 20
    assert found.decisive_flips > 0
    assert found.ranges[0] == pytest.approx(1000 * found.ranges[2])


def test_healthy_channels_of_very_different_scale_pass():
    scales = np.array([1e-4, 1, 2e6])[:, None, None]
    logits = RNG.normal(size=(3, 9, 8)) * scales
    close = logits + 1e-7 * scales * RNG.normal(size=logits.shape)
    found = measure(compare(independent(logits), independent(close), limit=1e-3, slack=1e-6))
    assert found.relative_error < 1e-5
    assert found.decisive_flips == 0


def test_boundaries_do_not_cross_channels():
    mask = np.zeros((2, 4, 4), np.int32)
    mask[1] = 1
    assert not boundary(mask).any()
    mask[1, 0, 0] = 0
    assert boundary(mask).sum(axis=(1, 2)).tolist() == [0, 3]


def test_each_channel_is_decided_by_itself():
    logits = torch.tensor([[[[2.0, -1.0]], [[3.0, -2.0]]]])
    assert decide(logits).tolist() == [[[1, 0]]]
    assert decide(logits, independent=True).tolist() == [[[[1, 0]], [[1, 0]]]]
    assert decide(logits, independent=True).dtype == torch.int32
    assert decide(logits[:, :1], independent=True).shape == (1, 1, 2)
    deployable = Deployable(torch.nn.Identity(), InputContract(2, 1, channels=2), independent=True)
    assert torch.equal(deployable(logits)[1], decide(logits, independent=True))


def test_a_mask_of_classes_is_not_taken_for_one_of_channels():
    image, logits = np.zeros((4, 5, 3), np.uint8), np.zeros((1, 3, 4, 5), np.float32)
    mask = np.ones((1, 3, 4, 5), np.int32)
    assert checked_outputs(logits, mask, NETWORK, image).independent
    assert checked_outputs(logits, mask[0], NETWORK, image).mask.shape == (3, 4, 5)
    with pytest.raises(MalformedOutput, match=r"mask has the shape \(4, 5\), not \(3, 4, 5\)"):
        checked_outputs(logits, mask[0, 0], NETWORK, image)
    with pytest.raises(MalformedOutput, match="mask holds 2, which is neither 0 nor 1"):
        checked_outputs(logits, mask * 2, NETWORK, image)
    exclusive = replace(NETWORK, activation="softmax")
    with pytest.raises(MalformedOutput, match=r"mask has the shape \(3, 4, 5\), not \(4, 5\)"):
        checked_outputs(logits, mask[0], exclusive, image)


def pixels_of(uri):
    with Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))) as picture:
        return np.asarray(picture.convert("RGBA"))


def test_channels_are_painted_in_the_order_given():
    mask = np.array([[[1, 1, 0]], [[0, 1, 0]]], np.uint8)
    colours = ["0xFF000099", "0x00FF0080"]
    pixels = pixels_of(mask_uri(mask, colours, (0, 1)))[0].tolist()
    assert pixels[:2] == [[255, 0, 0, 153], [0, 255, 0, 128]]
    assert pixels[2][3] == 0
    assert pixels_of(mask_uri(mask, colours, (1, 0)))[0, 1].tolist() == [255, 0, 0, 153]


def test_more_labels_than_a_byte_holds_stay_apart():
    logits = np.zeros((300, 1, 2), np.float32)
    logits[[5, 261], 0, [0, 1]] = 1  # equal but for the upper byte
    outputs = Outputs(logits, np.array([[5, 261]], np.int32))
    assert outputs.small_mask.tolist() == [[5, 261]]
    colours = [colour_of(value) for value in range(300)]
    pixels = pixels_of(mask_uri(outputs.small_mask, colours))[0]
    assert ["0x" + bytes(pixel.tolist()).hex().upper() for pixel in pixels] == [
        colours[5],
        colours[261],
    ]


def test_a_difference_in_a_covered_channel_is_marked():
    mask = np.zeros((2, 6, 6), np.uint8)
    mask[1] = 1
    other = mask.copy()
    other[0, 5, 5] = 1  # below the channel that is everywhere, if painted in the other order
    shown = shown_picture("a", np.zeros((6, 6, 3), np.uint8), mask, {0: other, 1: mask})
    assert list(shown.differs) == [0]
    assert np.argwhere(shown.differs[0]).tolist() == [[5, 5]]
    small = reduced(shown, 2)
    assert small.mask.shape == (2, 3, 3) and small.image.shape == (3, 3, 3)
    assert small.differs[0].sum() == 1
    card = gallery(
        SimpleNamespace(
            results=(),
            shown=(replace(shown, masks={}, differs={}),),
            independent=True,
            labels=("rust", "dent"),
            colours=("0xFF000099", "0x00FF0080"),
        )
    )[0]
    assert card.labelled == "dent on 100 %"


def test_pictures_of_any_channels_are_shown_as_colours():
    rgb = RNG.integers(0, 256, (3, 3, 3), dtype=np.uint8)
    assert np.array_equal(as_rgb(rgb), rgb)
    assert np.array_equal(as_rgb(rgb[..., :1]), np.repeat(rgb[..., :1], 3, axis=2))
    floats = np.concatenate([rgb, rgb], axis=2).astype(np.float32) / 255
    assert np.array_equal(as_rgb(floats), rgb)
