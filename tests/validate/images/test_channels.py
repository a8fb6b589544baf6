"""Pictures of one, four and any number of channels: how they are read, and refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.errors import InputError
from models.specification import InputContract
from validate.images.arrays import mixed, read_array
from validate.images.overlay import as_rgb
from validate.images.reading import UnreadablePicture, read_picture, stretch
from validate.images.samples import find_samples, require_some
from validate.runtimes.interface import as_input

RNG = np.random.default_rng(5)


def spectral(folder: Path, name: str, array: np.ndarray) -> Path:
    np.save(folder / name, array)
    return folder / name


def test_grey_is_the_luma_of_bt_601(tmp_path: Path) -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [90, 90, 90]]], np.uint8)
    Image.fromarray(colours).save(tmp_path / "colours.png")
    grey = read_picture(tmp_path / "colours.png", 1)
    assert grey.shape == (1, 4, 1)
    assert grey.ravel().tolist() == [76, 150, 29, 90]  # 0.299 R + 0.587 G + 0.114 B
    many = RNG.integers(0, 256, (40, 30, 3), dtype=np.uint8)
    Image.fromarray(many).save(tmp_path / "many.png")
    luma = many @ np.array([0.299, 0.587, 0.114])
    assert np.abs(read_picture(tmp_path / "many.png", 1)[..., 0] - luma).max() < 0.51


def test_an_alpha_channel_is_read_and_is_opaque_where_there_is_none(tmp_path: Path) -> None:
    Image.new("RGBA", (3, 2), (10, 20, 30, 40)).save(tmp_path / "alpha.png")
    Image.new("LA", (3, 2), (50, 60)).save(tmp_path / "grey.png")
    Image.new("RGB", (3, 2), (10, 20, 30)).save(tmp_path / "plain.png")
    for name, expected in (
        ("alpha.png", [10, 20, 30, 40]),
        ("grey.png", [50, 50, 50, 60]),
        ("plain.png", [10, 20, 30, 255]),
    ):
        picture = read_picture(tmp_path / name, 4)
        assert picture.shape == (2, 3, 4)
        assert picture[1, 2].tolist() == expected


def test_arrays_are_scaled_by_what_their_type_can_hold(tmp_path: Path) -> None:
    values = RNG.random((6, 7, 5))
    floats = read_array(spectral(tmp_path, "floats.npy", values), 5)
    assert floats.dtype == np.float32
    np.testing.assert_allclose(floats, values, rtol=1e-7)
    deep = np.rint(values * 65535).astype(">u2")  # as some cameras store it
    assert np.abs(read_array(spectral(tmp_path, "deep.npy", deep), 5) - values).max() < 1e-5
    bytes_ = np.rint(values * 255).astype(np.uint8)
    read = read_array(spectral(tmp_path, "bytes.npy", bytes_), 5)
    assert read.dtype == np.uint8 and np.array_equal(read, bytes_)
    assert np.array_equal(as_input(read), (bytes_ / np.float32(255)).transpose(2, 0, 1)[None])
    assert np.array_equal(as_input(floats), floats.transpose(2, 0, 1)[None])


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((4, 4, 3), np.uint8), "its shape is 4 × 4 × 3, not height × width × 5"),
        (np.zeros((5, 4, 4), np.uint8), "its shape is 5 × 4 × 4"),
        (np.zeros((0, 4, 5), np.uint8), "its shape is 0 × 4 × 5"),
        (np.array(3.0), "a single number"),
        (np.zeros((4, 4, 5), np.int32), "its numbers are int32"),
        (np.full((4, 4, 5), 1.5), r"not in \[0, 1\]"),
        (np.full((4, 4, 5), np.nan, np.float32), r"not in \[0, 1\]"),
    ],
)
def test_arrays_that_are_no_picture_say_why(tmp_path: Path, array: np.ndarray, reason: str) -> None:
    with pytest.raises(UnreadablePicture, match=reason):
        read_array(spectral(tmp_path, "a.npy", array), 5)


def test_damaged_and_pickled_arrays_are_refused(tmp_path: Path) -> None:
    whole = spectral(tmp_path, "whole.npy", np.zeros((40, 40, 5), np.uint8))
    (tmp_path / "cut.npy").write_bytes(whole.read_bytes()[:2000])
    (tmp_path / "text.npy").write_text("hello")
    (tmp_path / "empty.npy").write_bytes(b"")
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    header = whole.read_bytes()[:128].replace(b"(40, 40, 5), ", b"(9**9, 4, 5),")
    (tmp_path / "lies.npy").write_bytes(header)
    for name in ("cut", "text", "empty", "objects", "lies"):
        with pytest.raises(UnreadablePicture, match=r"not a NumPy file|cut off"):
            read_array(tmp_path / f"{name}.npy", 5)


def test_floats_are_stretched_by_the_same_filter() -> None:
    bytes_ = RNG.integers(0, 256, (30, 20, 5), dtype=np.uint8)
    floats = stretch((bytes_ / 255).astype(np.float32), 8, 12)
    assert floats.dtype == np.float32 and floats.shape == (12, 8, 5)
    assert np.abs(floats * 255 - stretch(bytes_, 8, 12)).max() < 0.501


def test_mixed_channels_are_all_different_and_the_same_each_time() -> None:
    photo = RNG.integers(0, 256, (9, 9, 3), dtype=np.uint8)
    made = mixed(photo, 13)
    assert made.shape == (9, 9, 13)
    assert np.array_equal(made, mixed(photo, 13))
    apart = [
        np.abs(made[..., i].astype(int) - made[..., j]).max() for i in range(13) for j in range(i)
    ]
    assert min(apart) > 10
    grey = np.full((2, 2, 3), 77, np.uint8)
    assert (mixed(grey, 13) == 77).all()  # the weights of each add up to one


def test_the_rendered_samples_serve_every_network(tmp_path: Path) -> None:
    for channels, words in ((1, "samples"), (4, "samples"), (2, "to 2 channels"), (6, "to 6")):
        samples = find_samples(None, InputContract(32, 24, channels=channels))
        assert samples.read(0).image.shape == (24, 32, channels)
        assert words in samples.origin
        assert as_rgb(samples.read(0).image).shape == (24, 32, 3)
    Image.new("RGB", (3, 2)).save(tmp_path / "photo.png")
    photos = find_samples(tmp_path, InputContract(32, 24, channels=6))
    assert not list(photos)
    with pytest.raises(InputError, match=r"photos do not have 6 channels.* files \(\.npy, height"):
        require_some(photos)
