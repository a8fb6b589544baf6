"""Golden fixtures of a real bundle, and the app's Models folder."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console
from small_networks import calibrated_unet, open_gate

from export.bundle import Artifact, describe_files, read_bundle, write_bundle
from export.pipeline import export
from export.settings import Settings
from models.common.cli import Stages
from models.errors import InputError
from validate.images.reading import read_picture, stretch
from validate.ios.app import APP
from validate.ios.fixtures import COUNT, write_fixtures
from validate.ios.golden import fingerprint
from validate.ios.install import install_into_app

WIDTH, HEIGHT = 96, 64


@pytest.fixture(scope="module")
def fixtures(device_bundle, device_photos, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fixtures")
    return folder, write_fixtures(device_bundle[1], folder, samples=device_photos)


@pytest.fixture
def app(tmp_path):
    models = tmp_path / "App" / "Models"
    models.mkdir(parents=True)
    (models / "README.md").write_text("models")
    return tmp_path / "App"


def described(folder):
    return json.loads((folder / "tiny.golden.json").read_text(encoding="utf-8"))


def test_the_first_readable_samples_are_described(fixtures, device_bundle):
    folder, files = fixtures
    document = described(folder)
    assert files[0].name == "tiny.golden.json"
    assert {path.name for path in files} == {path.name for path in folder.iterdir()}
    assert [sample["name"] for sample in document["samples"]] == ["a", "a_1", "c", "d"]
    assert len(document["samples"]) == COUNT
    assert document["labels"] == ["background", "scratch", "긁힘"]
    assert (document["width"], document["height"]) == (WIDTH, HEIGHT)
    bundle = read_bundle(device_bundle[1])
    assert document["checkpoint_sha256"] == bundle.source.sha256
    assert document["gate"]["decisive_flips"] == 0
    assert 0 < document["gate"]["largest_error"] <= 0.3
    assert document["gate"]["reason"]


def test_pictures_are_the_models_input_to_the_pixel(fixtures, device_photos):
    folder, _ = fixtures
    expected = stretch(read_picture(device_photos / "c.png"), WIDTH, HEIGHT)
    sample = described(folder)["samples"][2]
    with Image.open(folder / sample["picture"]) as picture:
        np.testing.assert_array_equal(np.asarray(picture), expected)
        assert picture.info["srgb"] == 0
    assert sample["fingerprint"] == fingerprint(expected.tobytes())


def test_masks_and_logits_are_pytorchs(fixtures, device_bundle):
    folder, _ = fixtures
    network, _ = device_bundle
    for sample in described(folder)["samples"]:
        with Image.open(folder / sample["picture"]) as picture:
            pixels = np.asarray(picture)
        image = torch.from_numpy(pixels.transpose(2, 0, 1)[None] / np.float32(255))
        logits = network(image)[0].numpy()
        mask = np.repeat(sample["mask_runs"][::2], sample["mask_runs"][1::2])
        np.testing.assert_array_equal(mask.reshape(HEIGHT, WIDTH), logits.argmax(0))
        values = logits - logits.mean(axis=0)
        assert sample["logits"]["range"] >= float(np.ptp(values)) * 0.9999
        for probe in sample["logits"]["probes"]:
            value = float(values[probe["channel"], probe["y"], probe["x"]])
            assert probe["value"] == pytest.approx(value, abs=1e-5)
        with Image.open(folder / sample["picture"].replace(".png", ".mask.png")) as picture:
            np.testing.assert_array_equal(np.asarray(picture), logits.argmax(0))


def test_models_and_fixtures_go_into_the_app(device_bundle, device_photos, app):
    installed = install_into_app(device_bundle[1], app, samples=device_photos)
    names = {path.name for path in (app / "Models").iterdir()}
    assert {"tiny.mlpackage", "tiny-neuralnetwork.mlmodel", "tiny.golden.json"} < names
    assert names == {path.name for path in installed} | {"README.md"}
    package = app / "Models" / "tiny.mlpackage"
    source = device_bundle[1] / "tiny.mlpackage"
    copied = {p.relative_to(package): p.read_bytes() for p in package.rglob("*") if p.is_file()}
    expected = {p.relative_to(source): p.read_bytes() for p in source.rglob("*") if p.is_file()}
    assert copied == expected
    assert [path.name for path in app.parent.iterdir()] == ["App"]


def test_a_second_installation_replaces_its_own_files_only(device_bundle, device_photos, app):
    (app / "Models" / "tiny.old.png").write_bytes(b"")
    (app / "Models" / "tinyfoot.mlmodel").write_bytes(b"")
    install_into_app(device_bundle[1], app, samples=device_photos)
    install_into_app(device_bundle[1], app, samples=device_photos)
    assert not (app / "Models" / "tiny.old.png").exists()
    assert (app / "Models" / "tinyfoot.mlmodel").exists()
    assert (app / "Models" / "README.md").exists()


def test_a_compressed_model_goes_into_the_app_with_answers_of_its_own(tmp_path, device_photos, app):
    network = calibrated_unet(encoder_depth=3, decoder_channels=(24, 16, 8))
    torch.save(network.state_dict(), tmp_path / "tiny.pt")
    form = {"compress": "palette4", "target": "iOS16"}
    settings = Settings(size=(WIDTH, HEIGHT), formats=("mlprogram",), **form)
    stages = Stages(Console(quiet=True))
    _, folder = export(tmp_path / "tiny.pt", tmp_path / "build", settings, stages, open_gate)
    for _ in range(2):
        install_into_app(folder, app, samples=device_photos)
    models = app / "Models"
    assert {"tiny.mlpackage", "tiny.small.mlpackage"} < {path.name for path in models.iterdir()}
    plain, small = (
        json.loads((models / f"{name}.golden.json").read_text()) for name in ("tiny", "tiny.small")
    )
    assert "compression" not in plain and small["compression"] == "palette4"
    assert plain["checkpoint_sha256"] == small["checkpoint_sha256"]
    pairs = list(zip(plain["samples"], small["samples"], strict=True))
    assert all(one["picture"] == other["picture"] for one, other in pairs)
    assert any(one["logits"] != other["logits"] for one, other in pairs)


def test_another_folder_is_refused(device_bundle, tmp_path):
    with pytest.raises(InputError, match="is not the iOS app"):
        install_into_app(device_bundle[1], tmp_path)


def test_a_bundle_without_core_ml_is_refused_and_changes_nothing(device_bundle, app, tmp_path):
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "tiny.onnx").write_bytes(b"a graph")
    artifact = Artifact(
        "onnx", "tiny.onnx", "float32", "opset 20", describe_files(folder, "tiny.onnx"), 1
    )
    write_bundle(replace(read_bundle(device_bundle[1]), artifacts=(artifact,)), folder)
    with pytest.raises(InputError, match="no Core ML file"):
        install_into_app(folder, app)
    assert [path.name for path in (app / "Models").iterdir()] == ["README.md"]


def test_a_wrong_folder_of_samples_is_refused(device_bundle, app):
    with pytest.raises(InputError, match="does not exist"):
        install_into_app(device_bundle[1], app, samples=Path("nowhere"))


def test_the_app_is_where_it_is_said_to_be():
    assert (APP / "Models" / "README.md").is_file()
