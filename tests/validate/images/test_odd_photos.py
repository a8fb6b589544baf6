"""Photos whose names or shapes trip programs: each is painted or named, and none stops the rest."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from export.bundle import read_bundle
from models.errors import InputError
from validate.parity.run import judge
from validate.predict.command import predict
from validate.predict.file_names import LONGEST, names_for
from validate.predict.predictor import Predictor
from validate.report.json_file import read_results
from validate.report.write import write_results

BYTES = os.fsdecode(b"bad\xff.png")
NAMES = (
    *("a b [1].png", "two\nlines.png", "caf\u00e9 \u8f66.png", "[red]x[bold].png", "-dash.png"),
    *("\x1b[31mred.png", BYTES, "x" * 251 + ".png", "x" * 250 + ".png", "\u8f66" * 83 + ".png"),
)


@pytest.fixture(scope="module")
def oddly_named(tmp_path_factory):
    """A folder of one small photo under many names."""
    folder = tmp_path_factory.mktemp("odd")
    photo = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    for name in NAMES:
        Image.fromarray(photo).save(folder / name)
    return folder


def test_no_name_keeps_a_photo_from_being_painted(tiny, oddly_named, tmp_path):
    painting, out = predict(tiny[1], [oddly_named], out=tmp_path / "out")
    document = json.loads((out / "areas.json").read_text(encoding="utf-8"))
    listed = [Path(photo["photo"]).name for photo in document["photos"]]
    assert listed == sorted(NAMES)
    written = [name for photo in painting.photos for name in (*photo.masks, photo.overlay)]
    assert sorted(path.name for path in out.iterdir()) == sorted(
        ["areas.csv", "areas.json", *written]
    )
    assert len(set(written)) == 2 * len(NAMES)


def test_a_name_that_is_no_text_is_judged_and_reported(tiny, oddly_named, tmp_path):
    report = judge(tiny[1], samples=oddly_named)
    write_results(report, tmp_path)
    pictures = read_results(tmp_path).results[0].pictures
    assert [each.name for each in pictures] == sorted(NAMES)
    assert "bad\\udcff.png" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_stems_are_cut_to_what_fits_and_numbered_within_it():
    files = [Path("a") / ("x" * 300), Path("b") / ("X" * 300), Path("c") / ("\u8f66" * 100)]
    names = names_for(files, Path("out"), [".mask.png", ".overlay.jpg"])
    assert names == ["x" * 243, "X" * 241 + "_2", "\u8f66" * 81]
    assert all(len(os.fsencode(f"{name}.overlay.jpg")) <= LONGEST for name in names)


@pytest.mark.parametrize("tiled", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (2, 3)])
def test_photos_of_any_proportion_are_painted_whole(tiny, tmp_path, size, tiled):
    Image.new("RGB", size[::-1], (9, 99, 199)).save(tmp_path / "odd.png")
    painting, out = predict(tiny[1], [tmp_path / "odd.png"], out=tmp_path / "out", tiled=tiled)
    (photo,) = painting.photos
    assert np.asarray(Image.open(out / "odd.mask.png")).shape == size
    assert sum(area.pixels for area in photo.areas) == size[0] * size[1]
    assert sum(area.percent for area in photo.areas) == pytest.approx(100)
    assert [area.label for area in photo.areas] == list(read_bundle(tiny[1]).labels)


def test_more_classes_than_a_byte_tells_apart_are_refused(tiny, monkeypatch):
    bundle = read_bundle(tiny[1])
    many = replace(bundle, specification=replace(bundle.specification, classes=257))
    monkeypatch.setattr("validate.predict.predictor.read_bundle", lambda _: many)
    with pytest.raises(InputError, match="has 257 classes, and the PNG of a mask tells 256 apart"):
        Predictor(tiny[1])


def test_a_photo_too_long_for_a_jpeg_is_named_and_the_rest_painted(tiny, tmp_path):
    Image.new("L", (65_501, 1)).save(tmp_path / "long.png")
    Image.new("L", (65_500, 1)).save(tmp_path / "most.png")
    painting, _ = predict(tiny[1], [tmp_path], out=tmp_path / "out")
    assert [Path(photo.photo).name for photo in painting.photos] == ["most.png"]
    (skipped,) = painting.skipped
    assert (Path(skipped.name).name, skipped.reason) == (
        "long.png",
        "a side is longer than 65,500 pixels",
    )
