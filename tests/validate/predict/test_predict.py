"""`predict`: from a bundle alone to masks, overlays and areas beside each other."""

import csv
import errno
import json
import re
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from made_reports import NOT_RUN, made_report
from PIL import Image
from torch import nn

from export.bundle import describe_files, read_bundle, write_bundle
from export.tracing import trace
from models.common.cli import run
from models.deployable import Deployable
from models.errors import InputError
from segport.__main__ import group
from validate.images.reading import read_picture, stretch
from validate.predict.command import predict
from validate.predict.masks import MaskLayer, write_overlay
from validate.predict.predictor import Predictor
from validate.predict.resume import STATE, DonePhotos
from validate.report.json_file import to_json
from validate.runtimes import Outputs
from validate.runtimes.eager import Eager

FORMATS = ("torchscript", "mlprogram", "neuralnetwork", "onnx")
RED = (213, 94, 0)  # of the palette's first colour, 0xD55E0099


@pytest.fixture
def call(capsys, monkeypatch):
    """Return a function that runs `segport predict`: (exit code, standard output and error).

    Lines of the output that were broken to the width of a log are whole again.
    """
    monkeypatch.setattr("signal.signal", lambda *_: None)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["segport", "predict", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            run(group, "segport")
        told = capsys.readouterr()
        return int(ended.value.code or 0), re.sub(r"\n +", " ", told.out), told.err

    return call


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def area(document, index=0):
    return {each["label"]: each["pixels"] for each in document["photos"][index]["areas"]}


@pytest.mark.parametrize("format", FORMATS)
def test_each_file_paints_what_the_network_sees(tiny, photos, tmp_path, format):
    network, folder = tiny
    photo, out = photos / "b_noise.png", tmp_path / "out"
    painting, _ = predict(folder, [photo], formats=(format,), out=out)
    assert painting.file == next(
        a.path for a in read_bundle(folder).artifacts if a.format == format
    )
    mask = Image.open(out / "b_noise.mask.png")
    assert (mask.mode, mask.size) == ("P", (80, 120))
    picture = read_picture(photos / "b_noise.png")
    eager = Eager(Deployable(network, read_bundle(folder).contract)).run(stretch(picture, 64, 64))
    rows, columns = ((np.arange(n) + 0.5) * 64 / n for n in (120, 80))
    expected = eager.mask[rows.astype(int)][:, columns.astype(int)]
    assert 0 < expected.mean() < 1
    assert np.mean(np.asarray(mask) == expected) >= (0.98 if format == "mlprogram" else 1)
    assert mask.getpalette()[:6] == [0, 0, 0, *RED]


def test_a_tiled_photo_keeps_its_size_and_says_how_tiles_disagreed(tiny, tmp_path, call):
    noisy(tmp_path / "photo.png", 100, 150, 3)
    out = tmp_path / "out"
    code, told, _ = call(tiny[1], tmp_path / "photo.png", "--out", out, "--tiled", "--overlap", 24)
    assert code == 0
    document = json.loads((out / "areas.json").read_text())
    (photo,) = document["photos"]
    assert (document["tiled"], photo["tiles"], photo["width"], photo["height"]) == (
        True,
        8,
        150,
        100,
    )
    assert sum(area(document).values()) == 150 * 100
    overlaps = photo["overlaps"]
    assert 0 < overlaps["differing"] < overlaps["worst"] < 1
    assert f"{100 * overlaps['differing']:.2f} % of the pixels that they share" in told
    mask = np.asarray(Image.open(out / "photo.mask.png"))
    assert {value: int((mask == value).sum()) for value in (0, 1)} == dict(
        enumerate(area(document).values())
    )


def test_the_overlay_is_the_photo_with_its_classes_painted(tmp_path):
    photo = np.full((600, 40, 3), (20, 60, 200), np.uint8)  # more than one strip
    mask = np.zeros((600, 40), np.uint8)
    mask[200:400, 8:24] = 1
    layer = MaskLayer(mask, ".mask.png", ((0, 0, 0, 0), (*RED, 0x99)))
    write_overlay(photo, [layer], tmp_path / "overlay.jpg")
    shown = np.asarray(Image.open(tmp_path / "overlay.jpg")).astype(float)
    painted = photo + (np.array(RED) - photo) * (0x99 / 255)
    expected = np.where(mask[..., None] == 1, painted, photo)
    assert np.abs(shown - expected).mean() < 2  # JPEG
    assert np.abs(shown[300, 16] - painted[300, 16]).max() < 4


def test_a_photo_lies_as_its_camera_was_held(tiny, photos, tmp_path):
    picture = Image.open(photos / "a_smooth.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    _, out = predict(
        tiny[1], [photos / "a_smooth.png", tmp_path / "turned.png"], out=tmp_path / "o"
    )
    upright, turned = (Image.open(out / f"{name}.mask.png") for name in ("a_smooth", "turned"))
    assert np.array_equal(np.asarray(upright), np.asarray(turned))


class Centre(nn.Module):
    """Unpadded: two channels as they are, less the last one, and `margin` pixels all around."""

    def __init__(self, margin):
        super().__init__()
        self.margin = margin

    def forward(self, image):
        rows = slice(self.margin, image.shape[2] - self.margin)
        two = torch.cat((image, image), 1)[:, :2]
        return (two - image[:, -1:])[:, :, rows, rows]


@pytest.fixture
def bundle_of(tiny, tmp_path):
    """Return a function that puts another network into a copy of the tiny bundle."""

    def make(margin=0, channels=3, **specification):
        folder = tmp_path / "bundle"
        bundle = read_bundle(tiny[1])
        folder.mkdir()
        contract = replace(bundle.contract, channels=channels)
        specification = {"margin": margin, "in_channels": channels, **specification}
        specification = replace(bundle.specification, **specification)
        made = Deployable(Centre(margin), contract, independent=specification.independent)
        path = bundle.artifacts[0].path
        torch.jit.freeze(trace(made, contract)).save(str(folder / path))
        artifact = replace(bundle.artifacts[0], files=describe_files(folder, path))
        changed = {"contract": contract, "specification": specification, "artifacts": (artifact,)}
        changed |= {"activation": specification.activation, "labels_source": "LABELS"}
        labels = {"labels": ("dent / dot", "scratch"), "colours": ("0xD55E0099", "0x0072B299")}
        write_bundle(replace(bundle, **changed, **labels), folder)
        return folder

    return make


def noisy(path, *shape, seed=2):
    noise = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    if path.suffix == ".npy":
        np.save(path, noise)
    else:
        Image.fromarray(noise).save(path)
    return noise


@pytest.mark.parametrize("tiled", [False, True])
def test_an_unpadded_network_paints_the_borders_too(bundle_of, tmp_path, tiled):
    noise = noisy(tmp_path / "photo.png", 60, 60, 3)
    folder = bundle_of(margin=2, offset=4, stride=4)
    predict(folder, [tmp_path / "photo.png"], out=tmp_path / "out", tiled=tiled)
    mask = np.asarray(Image.open(tmp_path / "out" / "photo.mask.png"))
    assert np.array_equal(mask, noise[..., 1] > noise[..., 0])


@pytest.mark.parametrize("tiled", [False, True])
def test_independent_channels_have_a_mask_each_and_may_overlap(bundle_of, tmp_path, tiled, call):
    noise = noisy(tmp_path / "photo.png", 64, 64, 3)
    out, folder = tmp_path / "out", bundle_of(activation="sigmoid")
    code, told, _ = call(folder, tmp_path / "photo.png", "--out", out, *["--tiled"][: int(tiled)])
    assert code == 0
    ends = ("0_dent_dot.mask.png", "1_scratch.mask.png")
    masks = [np.asarray(Image.open(out / f"photo.{end}")) for end in ends]
    for channel, mask in enumerate(masks):
        assert np.array_equal(mask, noise[..., channel] > noise[..., 2])
    assert (masks[0] & masks[1]).any()
    share = 100 * masks[0].mean()
    assert f"dent / dot {share:.2f} %" in told
    assert area(json.loads((out / "areas.json").read_text()))["scratch"] == masks[1].sum()


@pytest.mark.parametrize("tiled", [False, True])
def test_other_numbers_of_channels(bundle_of, tmp_path, tiled):
    noise = noisy(tmp_path / "field.npy", 64, 64, 5)
    predict(bundle_of(channels=5), [tmp_path / "field.npy"], out=tmp_path / "out", tiled=tiled)
    mask = np.asarray(Image.open(tmp_path / "out" / "field.mask.png"))
    assert np.array_equal(mask, noise[..., 1] > noise[..., 0])
    assert read_picture(tmp_path / "out" / "field.overlay.jpg").shape == (64, 64, 3)


def test_a_grey_network_takes_colour_photos(bundle_of, tmp_path):
    noisy(tmp_path / "photo.png", 100, 90, 3)
    painting, out = predict(bundle_of(channels=1), [tmp_path / "photo.png"], out=tmp_path / "out")
    assert (out / painting.photos[0].masks[0]).exists()


def test_photos_of_one_name_do_not_take_each_others_place(tiny, photos, tmp_path):
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        shutil.copy(photos / "a_smooth.png", tmp_path / place / "A_smooth.png")
    asked = [photos / "a_smooth.png", tmp_path / "one", tmp_path / "two" / "A_smooth.png"]
    painting, out = predict(tiny[1], asked, out=tmp_path / "out")
    assert [photo.masks for photo in painting.photos] == [
        ("a_smooth.mask.png",),
        ("A_smooth_2.mask.png",),
        ("A_smooth_3.mask.png",),
    ]
    assert len(names(out)) == 8


def test_folders_may_hold_other_files_and_names_must_be_photos(tiny, photos, tmp_path, call):
    folder = tmp_path / "mixed"
    shutil.copytree(photos, folder)
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden").write_text("no picture")
    assert names(folder)
    code, told, error = call(tiny[1], folder, "--out", tmp_path / "out")
    assert (code, error) == (0, "")
    assert "notes.txt (not a picture" in told
    assert ".hidden" not in told
    code, told, error = call(tiny[1], folder, folder / "notes.txt", "--out", tmp_path / "out")
    assert code == 2
    assert "notes.txt was not painted: not a picture that Pillow can read." in error
    assert "a_smooth" in told
    assert len(names(tmp_path / "out")) == 8


def test_without_a_place_it_is_beside_the_bundle(tiny, photos, tmp_path):
    shutil.copytree(tiny[1], tmp_path / "build" / "tiny")
    _, out = predict(tmp_path / "build" / "tiny", [photos / "c_black.png"])
    assert out == tmp_path / "build" / "tiny.predictions"
    assert names(out) == ["areas.csv", "areas.json", "c_black.mask.png", "c_black.overlay.jpg"]


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError(errno.ENOSPC, "No space left")])
def test_a_stop_or_a_full_disk_keeps_what_is_whole(
    tiny, photos, tmp_path, monkeypatch, call, fault
):
    out = tmp_path / "out"
    call(tiny[1], photos, "--out", out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    written = []

    def fail(photo, painted, path):
        written.append(path)
        path.write_bytes(b"half")
        if len(written) == 2:
            raise fault

    monkeypatch.setattr("validate.predict.command.write_overlay", fail)
    code, _, error = call(tiny[1], photos, "--out", out)
    assert code == (130 if fault is KeyboardInterrupt else 2)
    assert fault is KeyboardInterrupt or f"{out} cannot be written to: the disk is full" in error
    assert names(out) == sorted((STATE, *before))
    assert (out / "a_smooth.overlay.jpg").read_bytes() == b"half"  # that one was whole
    for name in ("b_noise.mask.png", "b_noise.overlay.jpg"):
        assert (out / name).read_bytes() == before[name]
    document = json.loads((out / "areas.json").read_text())
    assert [photo["masks"] for photo in document["photos"]] == [["a_smooth.mask.png"]]


def test_what_cannot_be_meant_is_2_and_a_sentence(tiny, photos, tmp_path, call, export_bundle):
    only_script = export_bundle(("torchscript",))[1]
    photo, out = photos / "a_smooth.png", ("--out", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "file").write_text("a file")
    shutil.copy(photo, tmp_path / "x.mask.png")
    lines = [
        ((tiny[1],), "Missing argument 'PHOTO...'"),
        ((tmp_path / "nowhere", photo), "is not a bundle"),
        ((tiny[1], tmp_path / "nowhere.jpg"), "does not exist"),
        ((tiny[1], tmp_path / "empty"), "holds no files"),
        ((tiny[1], tmp_path / "text.jpg"), "There is no photo to paint"),
        ((tiny[1], photo, "--formats", "caffe"), "names caffe: choose from"),
        ((only_script, photo, "--formats", "onnx"), "has no onnx file: it has torchscript"),
        ((tiny[1], photo, "--overlap", "9"), "give --tiled too"),
        ((tiny[1], photo, "--tiled", "--overlap", "40"), "Give a smaller --overlap"),
        ((tiny[1], photo, "--tiled", "--overlap", "-1"), "--overlap"),
        ((tiny[1], photo, "--out", tmp_path / "file"), "cannot be written to"),
        ((tiny[1], photo, "--out", tiny[1]), "is a bundle"),
        ((tiny[1], photo, "--out", tiny[1] / "masks" / "x"), "is inside a bundle"),
        ((tiny[1], tmp_path / "x.mask.png", tmp_path / "empty" / "x"), "does not exist"),
    ]
    for words, told in lines:
        code, _, error = call(*(words if "--out" in words else (*words, *out)))
        assert (code, told in error) == (2, True), (words, error)
        assert "Traceback" not in error
    shutil.copy(photo, tmp_path / "x.png")
    code, _, error = call(tiny[1], tmp_path / "x.png", tmp_path / "x.mask.png", "--out", tmp_path)
    assert (code, "x.mask.png would be overwritten" in error) == (2, True)
    assert not (tmp_path / "out").exists() or not names(tmp_path / "out")


def test_a_file_that_does_not_run_or_gives_nan_says_so(tiny, photos, tmp_path, monkeypatch):
    def broken(self, image):
        raise RuntimeError("out of luck\nand more")

    monkeypatch.setattr("validate.runtimes.torchscript.TorchScript.run", broken)
    with pytest.raises(
        InputError, match=r"does not run in torch\.jit: out of luck\. Ask for another"
    ):
        predict(tiny[1], [photos / "a_smooth.png"], out=tmp_path / "out")
    monkeypatch.setattr(
        "validate.runtimes.torchscript.TorchScript.run",
        lambda self, image: Outputs(np.full((2, 64, 64), np.nan), np.zeros((64, 64), np.int32)),
    )
    for tiled in (False, True):
        with pytest.raises(InputError, match=r"NaN or infinite logits in torch\.jit"):
            predict(tiny[1], [photos / "a_smooth.png"], out=tmp_path / "out", tiled=tiled)


def test_a_changed_file_is_refused(tiny, tmp_path):
    folder = tmp_path / "bundle"
    shutil.copytree(tiny[1], folder)
    path = next(folder.glob("*.onnx"))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="is not the file that was exported"):
        Predictor(folder)


def test_an_interrupted_call_goes_on_from_there(tiny, photos, tmp_path, monkeypatch, call):
    out, paint = tmp_path / "out", write_overlay

    def stop(photo, painted, path):
        if photo.shape[:2] == (120, 80):  # the second of three
            raise KeyboardInterrupt
        paint(photo, painted, path)

    monkeypatch.setattr("validate.predict.command.write_overlay", stop)
    code, told, _ = call(tiny[1], photos, "--out", out)
    assert code == 130
    assert "1 of 3 files are done: the same command goes on from there." in told
    first = (out / "a_smooth.mask.png").stat().st_mtime_ns
    monkeypatch.setattr("validate.predict.command.write_overlay", paint)
    with (out / STATE).open("a") as state:
        state.write('{"size": ')  # cut off by a power failure
    code, told, _ = call(tiny[1], photos, "--out", out)
    assert (code, "Going on after 1 of 3 files" in told) == (0, True)
    assert (out / "a_smooth.mask.png").stat().st_mtime_ns == first
    assert STATE not in names(out)
    document = json.loads((out / "areas.json").read_text())
    assert [photo["masks"][0][:1] for photo in document["photos"]] == ["a", "b", "c"]


@pytest.mark.parametrize("change", ["another file", "a changed photo", "a lost mask"])
def test_an_interrupted_call_that_was_another_begins_anew(
    tiny, photos, tmp_path, monkeypatch, change
):
    folder, out, asked = tmp_path / "photos", tmp_path / "out", "torchscript"
    shutil.copytree(photos, folder)

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("validate.predict.resume.DonePhotos.add", after(1, stop))
        predict(tiny[1], [folder], formats=[asked], out=out)
    assert STATE in names(out)
    if change == "another file":
        asked = "onnx"
    elif change == "a changed photo":
        noisy(folder / "a_smooth.png", 30, 40, 3)
    else:
        (out / "a_smooth.mask.png").unlink()
    told = []
    predict(tiny[1], [folder], formats=[asked], out=out, tell=told.append)
    assert told == []
    mask, photo = (
        read_picture(path) for path in (out / "a_smooth.mask.png", folder / "a_smooth.png")
    )
    assert mask.shape == photo.shape


def after(times, other):
    """Return a method that is as it was so often, and `other` then."""
    real, calls = DonePhotos.add, []

    def add(self, *arguments):
        calls.append(arguments)
        real(self, *arguments) if len(calls) <= times else other()

    return add


def test_progress_counts_photos_and_names_tiles(tiny, photos, tmp_path):
    told = []
    predict(tiny[1], [photos], out=tmp_path / "out", progress=lambda *each: told.append(each))
    assert told == [("a_smooth.png", 0, 3), ("b_noise.png", 1, 3), ("c_black.png", 2, 3)]
    told.clear()
    predict(
        tiny[1],
        [photos / "b_noise.png"],
        out=tmp_path / "out",
        tiled=True,
        progress=lambda *each: told.append(each),
    )
    assert told[0] == ("b_noise.png", 0, 1)
    assert told[-1] == (f"b_noise.png, tile {len(told) - 1} of {len(told) - 1}", 0, 1)
    assert len(told) > 4


def test_folders_inside_are_said_to_be_left_out(tiny, photos, tmp_path, call):
    folder = tmp_path / "photos"
    shutil.copytree(photos, folder / "inside")
    code, _, error = call(tiny[1], folder, "--out", tmp_path / "out")
    assert (code, f"holds no files, but folders ({folder / 'inside'})" in error) == (2, True)
    shutil.copy(photos / "c_black.png", folder)
    code, told, _ = call(tiny[1], folder, "--out", folder / "out")
    assert code == 0
    assert f"{folder / 'inside'} (a folder, whose photos are left out: name it too)" in told
    assert str(folder / "out") not in told.replace(f"areas: {folder / 'out'}", "")
    shutil.rmtree(folder / "out")
    _, told, _ = call(tiny[1], folder, folder / "inside", "--out", tmp_path / "out")
    assert "left out" not in told


def test_areas_are_a_table_with_a_row_for_each_class(tiny, photos, tmp_path):
    painting, out = predict(tiny[1], [photos], out=tmp_path / "out")
    with (out / "areas.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["file", "width", "height", "class", "pixels", "share"]
    labels = read_bundle(tiny[1]).labels
    assert [(row["file"], row["class"]) for row in rows] == [
        (photo.photo, label) for photo in painting.photos for label in labels
    ]
    assert (rows[2]["width"], rows[2]["height"]) == ("80", "120")
    assert int(rows[2]["pixels"]) + int(rows[3]["pixels"]) == 80 * 120
    assert float(rows[3]["share"]) == pytest.approx(int(rows[3]["pixels"]) / 9600, abs=1e-8)


def test_the_fastest_file_that_passed_is_the_default(tiny, tmp_path):
    folder = tmp_path / "bundle"
    shutil.copytree(tiny[1], folder)
    assert Predictor(folder).artifact.format == "torchscript"  # the first: nothing was judged
    results = [
        replace(NOT_RUN, format=format, path=path, runtime=runtime, status=status, milliseconds=ms)
        for format, path, runtime, status, ms in (
            ("torchscript", "tiny.torchscript.pt", "torch.jit", "passed", 30.0),
            ("mlprogram", "tiny.mlpackage", "Core ML reference", "failed", 5.0),
            ("onnx", "tiny.onnx", "ONNX Runtime", "passed", 12.0),
            ("neuralnetwork", "tiny.mlmodel", "Core ML", "passed", 1.0),  # on a Mac
        )
    ]
    report = replace(made_report(), results=tuple(results), shown=())
    (folder / "parity.json").write_text(to_json(report))
    assert Predictor(folder).artifact.format == "onnx"
    assert Predictor(folder, ["mlprogram"]).artifact.format == "mlprogram"
    (folder / "parity.json").write_text("{")
    assert Predictor(folder).artifact.format == "torchscript"
