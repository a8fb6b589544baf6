import threading

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from models.errors import InputError
from models.specification import InputContract
from validate.images.ahead import ahead
from validate.images.folders import RENDERED
from validate.images.reading import UnreadablePicture, read_picture, stretch
from validate.images.samples import find_samples, require_some

CONTRACT = InputContract(64, 48)


def picture(height=20, width=30, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("source", "wanted"),
    [((20, 30), (64, 64)), ((200, 300), (64, 96)), ((64, 64), (64, 64)), ((1, 1), (4, 4))],
)
def test_stretch_is_bilinear_with_half_pixel_centres_and_no_antialiasing(source, wanted):
    image = picture(*source)
    planes = torch.from_numpy(image).permute(2, 0, 1)[None].double()
    oracle = functional.interpolate(planes, size=wanted, mode="bilinear", align_corners=False)
    oracle = oracle[0].permute(1, 2, 0).numpy()
    stretched = stretch(image, wanted[1], wanted[0])
    assert stretched.dtype == np.uint8
    assert stretched.shape == (*wanted, 3)
    assert np.abs(stretched - oracle).max() <= 0.501


def test_stretch_known_answer():
    line = np.array([[[0] * 3, [100] * 3]], dtype=np.uint8)
    assert stretch(line, 4, 1)[0, :, 0].tolist() == [0, 25, 75, 100]


def test_stretch_differs_from_pillow_when_it_shrinks():
    image = picture(200, 200)
    pillow = np.asarray(Image.fromarray(image).resize((20, 20), Image.Resampling.BILINEAR))
    assert np.abs(stretch(image, 20, 20).astype(int) - pillow).max() > 50


def save(folder, image, name, **options):
    image.save(folder / name, **options)
    return folder / name


@pytest.mark.parametrize(
    ("mode", "name", "value", "expected"),
    [
        ("L", "grey.png", 100, (100, 100, 100)),
        ("1", "bits.png", 1, (255, 255, 255)),
        ("LA", "grey_alpha.png", (100, 0), (100, 100, 100)),
        ("RGBA", "alpha.png", (10, 20, 30, 0), (10, 20, 30)),
        ("CMYK", "print.tif", (0, 255, 255, 0), (255, 0, 0)),
        ("I;16", "deep.png", 0x80FF, (0x80, 0x80, 0x80)),
        ("I", "deep.tif", 0x40FF, (0x40, 0x40, 0x40)),
    ],
)
def test_every_mode_becomes_rgb(tmp_path, mode, name, value, expected):
    path = save(tmp_path, Image.new(mode, (5, 4), value), name)
    read = read_picture(path)
    assert read.shape == (4, 5, 3)
    assert tuple(read[2, 2].tolist()) == expected


def test_palette_with_transparency_becomes_its_colours(tmp_path):
    image = Image.new("P", (5, 4), 1)
    image.putpalette([0, 0, 0, 9, 8, 7])
    path = save(tmp_path, image, "palette.png", transparency=1)
    assert tuple(read_picture(path)[0, 0].tolist()) == (9, 8, 7)


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.webp", "a.tif", "a.gif", "a.ppm"])
def test_lossless_formats_come_back(tmp_path, name):
    image = Image.fromarray(np.full((6, 8, 3), 40, np.uint8))
    path = save(tmp_path, image, name, **({"lossless": True} if name == "a.webp" else {}))
    assert np.array_equal(read_picture(path), np.asarray(image))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(tmp_path, orientation):
    upright = np.zeros((16, 32, 3), np.uint8)
    upright[:8, :16] = 255  # the mark of the upper left corner
    turns = {1: 0, 2: 0, 3: 2, 4: 2, 5: 1, 6: 1, 7: 3, 8: 3}
    stored = np.rot90(upright, turns[orientation])  # what a camera held that way stores
    if orientation in (2, 4):
        stored = stored[:, ::-1]
    if orientation in (5, 7):
        stored = stored[::-1]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path, Image.fromarray(np.ascontiguousarray(stored)), "x.png", exif=exif)
    assert np.array_equal(read_picture(path), upright)


def test_truncated_and_foreign_files_say_why(tmp_path):
    whole = save(tmp_path, Image.fromarray(picture(200, 200)), "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes(whole.read_bytes()[:3000])
    (tmp_path / "text.jpg").write_text("hello")
    with pytest.raises(UnreadablePicture, match="truncated"):
        read_picture(tmp_path / "cut.jpg")
    with pytest.raises(UnreadablePicture, match="not a picture"):
        read_picture(tmp_path / "text.jpg")


@pytest.mark.parametrize("limit", [300, 550])  # Pillow's error, and its warning
def test_decompression_bombs_are_refused(tmp_path, monkeypatch, limit):
    path = save(tmp_path, Image.new("RGB", (30, 20)), "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit - 1 if limit == 300 else limit)
    with pytest.raises(UnreadablePicture, match="larger than"):
        read_picture(path)


def test_samples_of_a_folder_are_sorted_sized_and_counted(tmp_path):
    for name in ("b.png", "a.png"):
        save(tmp_path, Image.fromarray(picture()), name)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden").write_text("x")
    (tmp_path / "below").mkdir()
    save(tmp_path / "below", Image.fromarray(picture()), "c.png")
    samples = find_samples(tmp_path, CONTRACT)
    loaded = list(samples)
    assert [sample.name for sample in loaded] == ["a.png", "b.png"]
    assert {sample.image.shape for sample in loaded} == {(48, 64, 3)}
    assert [(each.name, each.reason) for each in samples.skipped] == [
        ("notes.txt", "not a picture that Pillow can read")
    ]
    require_some(samples)


def test_no_samples_are_an_input_error(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        find_samples(tmp_path / "nowhere", CONTRACT)
    with pytest.raises(InputError, match="holds no files"):
        find_samples(tmp_path, CONTRACT)
    with pytest.raises(InputError, match="not a file"):
        find_samples([tmp_path / "x.png"], CONTRACT)
    (tmp_path / "only.txt").write_text("x")
    samples = find_samples(tmp_path, CONTRACT)
    assert not list(samples)
    with pytest.raises(InputError, match=r"None of the 1 files .* is a picture \(only.txt"):
        require_some(samples)


def test_the_projects_own_samples_are_pictures_only():
    samples = find_samples(None, CONTRACT)
    assert len(list(samples)) == len(samples) >= 12
    assert all(path.parent == RENDERED for path in samples.paths)


def test_the_next_picture_is_read_while_one_is_looked_at():
    begun, events = [], [threading.Event() for _ in range(4)]

    def read(number):
        begun.append(number)
        events[number].set()
        if number == 1:
            raise UnreadablePicture("torn")
        return number * 10

    seen = []
    for number, reading in ahead(read, range(4)):
        if number < 3:
            assert events[number + 1].wait(60)
        seen.append((number, (reading.exception() and "torn") or reading.result()))
        assert begun == list(range(min(number + 2, 4)))
    assert seen == [(0, 0), (1, "torn"), (2, 20), (3, 30)]


def test_nothing_is_read_any_more_once_nobody_looks():
    reader = ahead(lambda number: number, range(100))
    next(reader)
    reader.close()
    assert not [each for each in threading.enumerate() if each.name.startswith("reader")]
