"""A bundle.json that contradicts itself, or does not list a model beside it, is bad input."""

from pathlib import Path

import pytest
from sealed_bundles import edited
from test_staging import fill

from export.bundle import read_bundle, verify_files
from export.unlisted import unlisted_files
from models.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fill(tmp_path, "content")
    return tmp_path


def test_a_healthy_description_is_read(folder: Path) -> None:
    bundle = read_bundle(folder)
    verify_files(bundle, folder)
    assert unlisted_files(bundle, folder) == ()


CONTRADICTIONS = {
    "activation": (("activation",), "sigmoid", "its activation is sigmoid"),
    "specification": (("specification", "activation"), "sigmoid", "its activation is softmax"),
    "channels": (("contract", "channels"), 1, "1 channels, and its network takes 3"),
    "mean": (("contract", "mean"), [0.5], "mean"),
    "deviation": (("contract", "std"), [1.0, 0.0, 1.0], "std"),
    "size": (("contract", "width"), 65, "does not take pictures of 65x64"),
    "labels": (("labels",), ["a", "b", "c"], "3 labels for 2 values"),
    "colours": (("colours",), ["0x00000000"] * 3, "3 colours for 2 values"),
    "numbered": (("labels_source",), "numbered", "by their source .numbered. they are class_0"),
    "float16": (("artifacts", 0, "precision"), "float16", "exported in float32 only"),
    "target": (("artifacts", 0, "target"), "iOS15", "for iOS15, which no onnx file"),
    "format": (("artifacts", 0, "format"), "mlprogram", "file of the format mlprogram"),
    "path": (("artifacts", 0, "path"), "../breakage.onnx", "'../breakage.onnx' is a file"),
    "listed": (("artifacts", 0, "files", 0, "path"), "weights.bin", "not part of it"),
    "pins": (
        ("artifacts", 0, "pins"),
        [{"operation": "x", "type": "conv", "module": None, "reason": "y"}],
        "all of it is float32",
    ),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_named(folder: Path, name: str) -> None:
    keys, value, told = CONTRADICTIONS[name]
    edited(folder, *keys, value=value)
    with pytest.raises(InputError, match=rf"bundle\.json contradicts itself: .*{told}"):
        read_bundle(folder)


def test_labels_that_follow_from_the_name_are_held_against_it(folder: Path) -> None:
    edited(folder, "source", "file", value="[DAMAGE][Breakage_3]Unet.pt")
    edited(folder, "labels_source", value="file name")
    read_bundle(folder)
    edited(folder, "labels", value=["breakage", "background"])
    with pytest.raises(InputError, match=r"by their source .file name. they are background, break"):
        read_bundle(folder)


@pytest.mark.parametrize("path", ["other.onnx", "old.mlpackage/Data/x.bin", "deep/er/net.pt"])
def test_a_model_that_is_not_listed_is_refused(folder: Path, path: str) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text("broken")
    with pytest.raises(InputError, match=f"{path} is not a file of this bundle"):
        verify_files(read_bundle(folder), folder)


def test_notes_are_named_and_results_are_known(folder: Path) -> None:
    for name in ("notes.txt", "parity.json", "report.html", "reference.npz", ".DS_Store"):
        (folder / name).write_text("content")
    bundle = read_bundle(folder)
    verify_files(bundle, folder)
    assert unlisted_files(bundle, folder) == ("notes.txt", "reference.npz")


def test_a_copy_of_the_checkpoint_may_lie_in_the_bundle(folder: Path) -> None:
    (folder / "breakage.pt").write_text("x")
    sha256 = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    edited(folder, "source", "sha256", value=sha256)
    verify_files(read_bundle(folder), folder)
