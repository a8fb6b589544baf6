"""The golden vectors are what Python computes, and what Python computes is right."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from damagekit import vectors
from damagekit.contract import ContractError, read_contract
from damagekit.geometry import FITS, place, placed, restore, upright
from damagekit.masks import (
    areas_in,
    decide,
    intersection_over_union,
    paint,
    parse_colour,
    read_strided,
)
from damagekit.parity import compare, largest_error, outputs_of, range_of
from damagekit.vectors_records import exported_metadata

from models.specification import InputContract
from validate.images.overlay import rgba
from validate.images.reading import stretch
from validate.ios.golden import (
    DeviceGate,
    areas,
    decisive,
    describe_sample,
    fingerprint,
    runs,
)
from validate.runtimes import Outputs

GATE = DeviceGate(largest_error=0.1, decisive_flips=0, min_iou=0.9, agreeing_pixels=128, reason="")


@pytest.mark.parametrize("name", vectors.GROUPS)
def test_the_vectors_in_the_package_are_up_to_date(name):
    committed = (vectors.FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert committed == vectors.rendered(name), (
        "run PYTHONPATH=tests/ios python -m damagekit.vectors"
    )


def test_there_are_no_other_vectors():
    assert {path.stem for path in vectors.FOLDER.iterdir()} == set(vectors.GROUPS)


def test_vectors_are_written_where_asked(tmp_path):
    written = vectors.write_vectors(tmp_path)
    assert sorted(written) == sorted(tmp_path.iterdir())
    assert (tmp_path / "runs.json").read_text() == vectors.rendered("runs")


def test_letterbox_and_centre_crop_keep_the_middle():
    assert place((400, 200), (256, 256), "letterbox").target == (0, 64, 256, 128)
    assert place((200, 400), (256, 256), "letterbox").target == (64, 0, 128, 256)
    assert place((400, 200), (256, 256), "centreCrop").source == (100, 0, 200, 200)
    assert place((400, 200), (256, 256), "stretch").source == (0, 0, 400, 200)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("picture", [(640, 480), (333, 777), (1, 900)])
def test_placements_stay_inside_and_keep_proportions(picture, fit):
    found = place(picture, (320, 256), fit)
    for (x, y, w, h), (width, height) in ((found.source, picture), (found.target, (320, 256))):
        assert x >= 0 and y >= 0 and w >= 1 and h >= 1
        assert x + w <= width and y + h <= height
    if fit == "letterbox":
        exact = min(Fraction(320, picture[0]), Fraction(256, picture[1]))
        assert abs(found.target[2] - picture[0] * exact) <= 1
        assert abs(found.target[3] - picture[1] * exact) <= 1


def test_points_go_there_and_back():
    for fit in FITS:
        found = place((640, 480), (320, 256), fit)
        assert found.input_point(*found.picture_point(12.5, 99.0)) == pytest.approx((12.5, 99.0))


def test_a_stretched_picture_is_the_one_that_parity_uses():
    picture = np.random.default_rng(0).integers(0, 256, (30, 40, 3)).astype(np.uint8)
    found = placed(picture, place((40, 30), (16, 16), "stretch"))
    np.testing.assert_array_equal(found, stretch(picture, 16, 16))


def test_a_letterbox_has_black_bars():
    found = placed(np.full((10, 20, 3), 200, np.uint8), place((20, 10), (8, 8), "letterbox"))
    assert (found[2:6] == 200).all()
    assert not found[:2].any() and not found[6:].any()


@pytest.mark.parametrize("tag", range(1, 9))
def test_orientation_is_what_pillow_makes_of_it(tag, tmp_path):
    from PIL import Image, ImageOps

    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    exif = Image.Exif()
    exif[0x0112] = tag
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as picture:
        expected = np.asarray(ImageOps.exif_transpose(picture))
    np.testing.assert_array_equal(upright(pixels, tag), expected)


def test_a_mask_is_restored_by_nearest_pixels():
    mask = np.array([[1, 2], [3, 4]], np.int32)
    found = restore(mask, place((4, 4), (2, 2), "stretch"))
    np.testing.assert_array_equal(found, np.kron(mask, np.ones((2, 2), np.int32)))
    cropped = restore(mask, place((4, 2), (2, 2), "centreCrop"))
    np.testing.assert_array_equal(cropped, [[0, 1, 2, 0], [0, 3, 4, 0]])


def test_strided_reading_skips_the_padding():
    buffer = np.array([1, 2, 99, 3, 4, 99], np.float16).tobytes()
    found = read_strided(buffer, "float16", (2, 2), (3, 1))
    np.testing.assert_array_equal(found, [[1, 2], [3, 4]])


def test_decisions_are_those_of_the_exported_graph():
    import torch

    from models.deployable import decide as exported

    generator = np.random.default_rng(1)
    for channels in (1, 2, 5):
        logits = generator.integers(-2, 3, (channels, 9, 7)).astype(np.float32)
        expected = exported(torch.from_numpy(logits[None]))[0].numpy()
        np.testing.assert_array_equal(decide(logits), expected)


def test_logits_that_are_not_finite_have_no_mask():
    with pytest.raises(ValueError, match="finite"):
        decide(np.array([[[np.nan]]], np.float32))


def test_only_errors_beyond_the_gate_are_decisive():
    # An error of 0.4 moves two logits by 0.8 against each other, and one against zero by 0.4.
    logits = np.array([[[4, 1, 1]], [[1, 1.9, 1.7]]], np.float32)
    np.testing.assert_array_equal(decisive(logits, 0.4), [[True, True, False]])
    np.testing.assert_array_equal(decisive(np.array([[[5, 0.6, -0.3]]]), 0.4), [[1, 1, 0]])


def test_the_gate_counts_as_the_report_does():
    from validate.metrics.margins import decisions

    generator = np.random.default_rng(2)
    for channels in (1, 2, 4):
        logits = generator.normal(size=(channels, 16, 16)).astype(np.float32)
        noisy = (logits + generator.normal(size=logits.shape)).astype(np.float32)
        found = compare("x", logits, decide(noisy), GATE, None)
        allowed = np.array([GATE.largest_error * range_of(logits)])
        report = decisions(Outputs(logits, decide(logits)), decide(noisy), allowed)
        assert found["decisive_flips"] == report.decisive_flips > 0
        assert found["agreeing"] == (decide(noisy) == decide(logits)).sum()
        assert not found["passed"]


def test_runs_areas_and_overlaps():
    mask = np.array([[0, 0, 1], [1, 1, 2]], np.int32)
    assert runs(mask) == [0, 2, 1, 3, 2, 1]
    assert [area["pixels"] for area in areas(mask, 3)] == [2, 3, 1]
    assert areas_in(mask, 3, (0, 0, 2, 1))[0]["percent"] == 100
    other = np.array([[0, 1, 1], [1, 1, 2]], np.int32)
    assert intersection_over_union(mask, other, 4) == [0.5, 0.75, 1.0, None]


def test_the_fingerprint_is_fnv_1a():
    # RFC 9923's own examples.
    assert fingerprint(b"") == "cbf29ce484222325"
    assert fingerprint(b"a") == "af63dc4c8601ec8c"
    assert fingerprint(b"foobar") == "85944171f73967e8"


def test_overlays():
    mask = np.array([[0, 1, 7]], np.int32)
    palette = [(0, 0, 0, 0), (213, 94, 0, 153)]
    straight = paint(mask, palette, premultiplied=False)
    np.testing.assert_array_equal(straight[0, 1], (213, 94, 0, 153))
    assert not straight[0, 0].any() and not straight[0, 2].any()
    np.testing.assert_array_equal(paint(mask, palette, premultiplied=True)[0, 1], (128, 56, 0, 153))
    faint = paint(mask, palette, opacity=0.5, premultiplied=False)
    assert faint[0, 1, 3] == 77  # 76.5, rounded half up
    assert not paint(mask, palette, hidden={1}, premultiplied=False).any()
    assert parse_colour("0xD55E0099") == rgba("0xD55E0099") == (213, 94, 0, 153)
    assert parse_colour("#D55E0099") is None


def test_the_exporters_metadata_is_read():
    contract = read_contract(exported_metadata(3, ("배경", "파손", "긁힘")))
    assert contract.labels == ("배경", "파손", "긁힘")
    assert (contract.width, contract.height, contract.fit) == (320, 256, "stretch")
    assert contract.activation == "softmax"
    assert read_contract(exported_metadata(1)).activation == "sigmoid"


def test_wrong_metadata_is_named():
    entries = exported_metadata()
    del entries["segport.labels"]
    with pytest.raises(ContractError) as missing:
        read_contract(entries)
    assert (missing.value.kind, missing.value.keys) == ("missing", ("segport.labels",))


def test_a_digest_finds_a_changed_logit():
    logits = np.random.default_rng(3).normal(size=(2, 20, 30)).astype(np.float32)
    assert largest_error(logits, logits) == 0
    moved = logits.copy()
    moved[1] += 0.5  # against the mean of both classes, each moves by half of it
    assert largest_error(logits, moved) == pytest.approx(0.25 / range_of(logits), rel=1e-4)


@pytest.mark.parametrize("shared", [0.5, 1000])
def test_a_number_that_all_classes_share_hides_no_error(shared):
    logits = np.random.default_rng(3).normal(size=(2, 20, 30)).astype(np.float32)
    actual = (logits + np.float32(shared)).astype(np.float16).astype(np.float32)
    assert (largest_error(logits, actual) > 0.02) == (shared == 1000)


def test_undecided_is_not_passed():
    """Where every pixel is nearly tied, no flip is decisive, and still the masks have to agree."""
    logits = np.random.default_rng(4).normal(size=(2, 40, 40)).astype(np.float32) * np.float32(1e-3)
    logits[0, 0, 0] = 5
    found = compare("x", logits, decide(-logits), GATE, 0.0)
    assert (found["decisive_flips"], found["passed"]) == (1, False)
    allowing = replace(GATE, decisive_flips=1)
    assert not compare("x", logits, decide(-logits), allowing, 0.0)["passed"]
    assert compare("x", logits, decide(logits), allowing, 0.0)["passed"]


def test_a_sample_describes_picture_mask_and_logits():
    contract = InputContract(12, 8)
    logits = np.random.default_rng(5).normal(size=(2, 8, 12)).astype(np.float32)
    picture = np.zeros((contract.height, contract.width, 3), np.uint8)
    entry = describe_sample("x", "x.png", picture, outputs_of(logits), GATE, range_of(logits))
    assert entry["fingerprint"] == fingerprint(bytes(8 * 12 * 3))
    values = np.repeat(entry["mask_runs"][::2], entry["mask_runs"][1::2])
    np.testing.assert_array_equal(values.reshape(8, 12), decide(logits))
    assert sum(area["pixels"] for area in entry["areas"]) == 96
