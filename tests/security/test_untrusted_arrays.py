"""An array or a photo that is odd is one that cannot be read, and nothing of it is run."""

import io
import os
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
from fuzz_bundles import described
from PIL import Image

from export.bundle import read_bundle, write_bundle
from models.common.zip_entry import read_entry
from models.errors import InputError
from models.specification import InputContract
from validate.images.arrays import read_array
from validate.images.reading import FORMATS, UnreadablePicture, read_picture
from validate.images.samples import find_samples
from validate.reference.stored import stored_reference


def header(text, version=b"\1\0", data=bytes(180)):
    length = len(text).to_bytes(2 if version == b"\1\0" else 4, "little")
    return b"\x93NUMPY" + version + length + text.encode() + data


def of(shape, kind="'|u1'"):
    return f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}\n"


def npz():
    file = io.BytesIO()
    np.savez(file, a=np.zeros((9, 4, 5), np.uint8))
    return file.getvalue()


ODD = {
    "torn header": header(of("(9, 4, 5)"))[:40],
    "torn data": header(of("(9, 4, 5)"))[:-100],
    "negative": header(of("(-1, 4, 5)")),
    "negative twice": header(of("(-3, -3, 5)")),
    "True": header(of("(True, 4, 5)")),
    "huge": header(of("(4611686018427387904, 4, 5)")),
    "long": header(of("(100000, 100000, 5)")),
    "zip": npz(),
    "zip signature": b"PK\3\4" + bytes(200),
    "pickle": b"\x80\4cos\nsystem\n(S'true'\ntR.",
    "objects": header(of("(9, 4, 5)", "'|O'")),
    "structured": header(of("(9, 4, 5)", "[('a', '|u1')]")),
    "text": header(of("(9, 4, 5)", "'<U9999'")),
    "nested": header("(" * 9000),
    "signs": header("-" * 9000 + "1"),
    "call": header("__import__('os').system('true')"),
    "long header": header(" " * 60_000),
    "other version": header(of("(9, 4, 5)"), b"\3\0"),
    "Python 2": header(of("(9L, 4L, -5L)")),
    "too large": header(of("(9, 4, 5)", "'<f8'"), data=np.full(180, 1e300).tobytes()),
    "empty": b"",
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_array_cannot_be_read(tmp_path, name):
    (tmp_path / "a.npy").write_bytes(ODD[name])
    with warnings.catch_warnings(), pytest.raises(UnreadablePicture) as told:
        warnings.simplefilter("error")
        read_array(tmp_path / "a.npy", 5)
    assert len(str(told.value)) < 100


def test_odd_arrays_among_the_samples_are_passed_over(tmp_path):
    np.save(tmp_path / "good.npy", np.full((9, 4, 5), 7, np.uint8))
    np.save(tmp_path / "fortran.npy", np.asfortranarray(np.full((9, 4, 5), 7, np.uint8)))
    for name, content in ODD.items():
        (tmp_path / f"{name}.npy").write_bytes(content)
    os.mkfifo(tmp_path / "pipe.npy")
    (tmp_path / "folder.npy").mkdir()
    samples = find_samples(tmp_path, InputContract(8, 8, channels=5))
    assert [(each.name, int(each.image.max())) for each in samples] == [
        ("fortran.npy", 7),
        ("good.npy", 7),
    ]
    assert len(samples.skipped) == len(ODD)


@pytest.mark.parametrize(
    "form", ["EPS", "PDF", "ICO", "TGA", "PCX", "SGI", "ICNS", "DDS", "JPEG2000"]
)
def test_only_formats_of_photos_are_opened(tmp_path, form):
    file = io.BytesIO()
    picture = Image.new("RGB", (16, 16), (9, 99, 199))
    (picture.convert("RGBA") if form == "ICNS" else picture).save(file, form)
    (tmp_path / "photo.png").write_bytes(file.getvalue())
    with pytest.raises(UnreadablePicture, match="not a picture that Pillow can read"):
        read_picture(tmp_path / "photo.png")


def test_ghostscript_is_not_started(tmp_path, monkeypatch):
    from PIL import EpsImagePlugin

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *_: pytest.fail("it was started"))
    Image.new("RGB", (16, 16)).save(tmp_path / "photo.eps")
    with pytest.raises(UnreadablePicture):
        read_picture(tmp_path / "photo.eps")


@pytest.mark.parametrize("form", FORMATS)
def test_formats_of_photos_are_read_whatever_they_are_called(tmp_path, form):
    file = io.BytesIO()
    Image.new("RGB", (16, 12), (8, 8, 8)).save(file, form)
    (tmp_path / "photo.dat").write_bytes(file.getvalue())
    assert read_picture(tmp_path / "photo.dat").shape == (12, 16, 3)


def test_a_telephones_photo_of_several_pictures_is_read(tmp_path):
    first, second = (Image.new("RGB", (16, 12), (value,) * 3) for value in (200, 9))
    first.save(tmp_path / "photo.jpg", "MPO", save_all=True, append_images=[second])
    assert read_picture(tmp_path / "photo.jpg").min() > 190


def test_only_the_first_picture_of_several_is_read(tmp_path):
    frames = [Image.new("RGB", (16, 12), (value,) * 3) for value in (200, 9, 9)]
    for name in ("a.gif", "a.webp", "a.tif", "a.png"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        assert read_picture(tmp_path / name).min() > 190


def test_exif_that_is_none_does_not_stop_a_photo(tmp_path):
    Image.new("RGB", (16, 12)).save(tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" * 99)
    assert read_picture(tmp_path / "a.jpg").shape == (12, 16, 3)


@pytest.fixture
def bundle(tmp_path):
    folder = tmp_path / "net"
    write_bundle(described(folder), folder)
    return read_bundle(folder)


def test_an_entry_that_unpacks_to_more_than_it_says_takes_no_memory(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(64 << 20))
    data, size = path.read_bytes(), (64 << 20).to_bytes(4, "little")
    path.write_bytes(data.replace(size, (1000).to_bytes(4, "little")))
    with zipfile.ZipFile(path) as archive:
        tracemalloc.start()
        with pytest.raises(zipfile.BadZipFile, match="CRC"):
            read_entry(archive, archive.getinfo("a"), 1 << 20)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 4 << 20


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_reference_packed_by_another_method_is_refused(tmp_path, bundle, method):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", method) as archive:
        archive.writestr("reference.json", "{}")
    with (
        pytest.raises(InputError, match="a method that no such file is packed by"),
        stored_reference(tmp_path / "a.npz", bundle, find_samples(None, bundle.contract)),
    ):
        pass


def test_a_reference_that_is_no_archive_or_a_pipe_is_refused(tmp_path, bundle):
    os.mkfifo(tmp_path / "pipe")
    name = "é.npy"
    with zipfile.ZipFile(tmp_path / "name", "w") as archive:
        archive.writestr(name, "")
    data = (tmp_path / "name").read_bytes()
    (tmp_path / "name").write_bytes(data.replace("é".encode(), b"\xff\xff"))
    for odd in ("pipe", "name"):
        with (
            pytest.raises(InputError, match="is cut off or no stored reference"),
            stored_reference(tmp_path / odd, bundle, find_samples(None, bundle.contract)),
        ):
            pass
