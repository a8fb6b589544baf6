"""`import segport`: a network in memory becomes a bundle, which is judged and used from Python."""

import gc
import json
import multiprocessing
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch
from PIL import Image
from small_networks import ROOT, SLIM, calibrated_unet
from test_main_job import call
from torch import nn

import segport

SMALL = {"size": (64, 64), "formats": ["torchscript"]}
OWN = """from torch import nn


class Own(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.wide = nn.Conv2d(3, width, 3, padding=1)
        self.head = nn.Conv2d(width, 2, 1)

    def forward(self, image):
        return {"out": self.head(self.wide(image).relu())}
"""


class Own(nn.Module):
    """A network that no family knows; as the class in OWN."""

    def __init__(self, width: int = 6):
        super().__init__()
        self.wide = nn.Conv2d(3, width, 3, padding=1)
        self.head = nn.Conv2d(width, 2, 1)

    def forward(self, image):
        return {"out": self.head(self.wide(image).relu())}


@pytest.fixture
def samples(tmp_path):
    """Two pictures of different sizes, and a file that is none."""
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name, shape in (("a.png", (48, 80, 3)), ("b.png", (64, 64, 3))):
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(folder / name)
    return folder


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A slim U-Net, and its bundle as the API returns it."""
    network = calibrated_unet()
    out = tmp_path_factory.mktemp("api")
    formats = ["torchscript", "mlprogram"]
    return network, segport.export(network, out=out, size=(64, 64), formats=formats)


def test_a_known_network_in_memory_is_judged_again_by_its_bundle_alone(exported, samples, capfd):
    network, bundle = exported
    assert bundle.report.passed
    assert bundle.files["mlprogram"] == bundle.folder / "Unet.mlpackage"
    source = json.loads((bundle.folder / "bundle.json").read_text())["source"]
    assert source["module"] == "segmentation_models_pytorch.decoders.unet.model:Unet"
    assert (source["container"], source["path"]) == ("module in memory", "Unet.safetensors")
    assert source["code"] is None
    assert (bundle.folder / "Unet.safetensors").stat().st_size == source["size"]
    capfd.readouterr()
    assert segport.validate(bundle, samples=samples).passed
    assert segport.validate(bundle.folder, model=network, samples=samples).passed
    assert capfd.readouterr() == ("", "")
    assert call("validate", bundle.folder, "--samples", samples) == 0


def test_stored_weights_that_were_changed_are_refused(exported, tmp_path, samples):
    import shutil

    folder = tmp_path / "Unet"
    shutil.copytree(exported[1].folder, folder)
    with (folder / "Unet.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x7f")
    with pytest.raises(segport.InputError, match="is not the file that was exported"):
        segport.validate(folder, samples=samples)


def test_nothing_is_printed_in_a_process_of_its_own(tmp_path):
    script = (
        "import sys; sys.path[:0] = sys.argv[1:3]\n"
        "import segport\n"
        "assert not {'torch', 'coremltools', 'numpy', 'rich'} & set(sys.modules)\n"
        "from small_networks import calibrated_unet\n"
        "bundle = segport.export(calibrated_unet(), out=sys.argv[3], size=64)\n"
        "assert segport.validate(bundle).passed\n"
        "assert len(list(segport.predict(bundle, sys.argv[1] + '/samples'))) == 12\n"
    )
    words = [sys.executable, "-W", "default", "-c", script, ROOT, ROOT / "tests", tmp_path]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_module_and_the_process_stay_as_they_were(tmp_path, samples):
    network = calibrated_unet().half().train()
    network.encoder.requires_grad_(False)
    seen = []
    network.segmentation_head.register_forward_hook(lambda *_: seen.append(1))
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    gradients = [parameter.requires_grad for parameter in network.parameters()]
    state = torch.random.get_rng_state()
    segport.export(network, out=tmp_path, samples=samples, **SMALL)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert network.training
    assert network.encoder.conv1.weight.dtype == torch.float16
    assert [parameter.requires_grad for parameter in network.parameters()] == gradients
    assert all(torch.equal(tensor, before[key]) for key, tensor in network.state_dict().items())
    assert len(network.segmentation_head._forward_hooks) == 1


def test_threads_and_garbage_are_as_before_a_process_beside(tmp_path, samples):
    before = torch.get_num_threads(), gc.get_threshold(), gc.get_freeze_count()
    formats = ["torchscript", "onnx"]
    segport.export(calibrated_unet(), out=tmp_path, samples=samples, size=64, formats=formats)
    assert (torch.get_num_threads(), gc.get_threshold(), gc.get_freeze_count()) == before
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("wrap", [nn.DataParallel, torch.compile], ids=["DataParallel", "compile"])
def test_wrappers_of_training_come_off(tmp_path, samples, wrap):
    bundle = segport.export(wrap(calibrated_unet()), out=tmp_path, samples=samples, **SMALL)
    assert bundle.description.specification.title == "smp Unet, encoder resnet18"


class Doubled(nn.Module):
    """A wrapper of the user's own, which computes."""

    def __init__(self):
        super().__init__()
        self.module = calibrated_unet()

    def forward(self, image):
        return 2 * self.module(image)


def test_a_wrapper_that_computes_stays(tmp_path, samples):
    bundle = segport.export(Doubled(), out=tmp_path, samples=samples, **SMALL)
    assert bundle.description.specification.title == "own module test_api:Doubled"


def test_an_activation_that_the_module_has_is_recorded(tmp_path, samples):
    network = smp.Unet(
        "resnet18", encoder_weights=None, classes=2, decoder_channels=SLIM, activation="sigmoid"
    )
    bundle = segport.export(network.eval(), out=tmp_path, samples=samples, **SMALL)
    assert bundle.description.activation == "sigmoid"
    assert bundle.description.source.code is None
    assert segport.validate(bundle, samples=samples).passed


def test_a_known_network_that_computes_something_else_is_the_users_own(tmp_path, samples):
    class Shifted(type(calibrated_unet())):
        def forward(self, image):
            return super().forward(1 - image)

    network = calibrated_unet()
    network.__class__ = Shifted
    bundle = segport.export(network, out=tmp_path, samples=samples, **SMALL)
    assert bundle.description.specification.family == "own module"


def test_an_own_network_is_judged_again_by_its_module_or_its_code(tmp_path, samples):
    torch.manual_seed(0)
    network = Own()
    bundle = segport.export(network, out=tmp_path, samples=samples, labels=["no", "dent"], **SMALL)
    assert bundle.folder == tmp_path / "Own"
    with pytest.raises(segport.InputError, match=r"its weights alone do not rebuild.*test_api:Own"):
        segport.validate(bundle, samples=samples)
    assert segport.validate(bundle, model=network, samples=samples).passed
    (tmp_path / "own.py").write_text(OWN)
    code = {"model": f"{tmp_path / 'own.py'}:Own", "model_args": {"width": 6}}
    assert segport.validate(bundle, samples=samples, **code).passed
    with torch.no_grad():
        network.head.bias += 1
    with pytest.raises(segport.InputError, match="has other weights than the one that Own was"):
        segport.validate(bundle, model=network, samples=samples)


def test_a_bundle_of_a_checkpoint_takes_no_module(saved, unet, samples, tmp_path):
    path = saved(unet.state_dict())
    bundle = segport.export(path, out=tmp_path / "build", samples=samples, **SMALL)
    with pytest.raises(segport.InputError, match="and not from a module in memory"):
        segport.validate(bundle, model=unet, samples=samples)


def test_a_name_keeps_bundles_apart_and_the_same_one_is_replaced(tmp_path, samples):
    for name in ("first", "second", "first"):
        segport.export(Own(), out=tmp_path, name=name, samples=samples, **SMALL)
    assert {path.name for path in tmp_path.iterdir()} == {"first", "second", "photos"}


@pytest.mark.parametrize(
    ("given", "options", "told"),
    [
        (Own(), {"size": (9000, 9000)}, "size=9000x9000 is out of range"),
        (Own(), {"formats": ["tflite"]}, "formats=tflite names tflite"),
        (Own(), {"labels": ["a", "a"]}, "every label must be there once"),
        (Own(), {"samples": "nowhere"}, "give a folder of photos with samples=."),
        (Own(), {"encoder": "resnet18"}, "encoder=resnet18 is for networks that Segport builds"),
        (Own(), {"weights": "ema"}, "weights= are about a checkpoint: a module in memory"),
        (Own(), {"labels": ["a", "\udcff"]}, r"labels=\udcff is no text"),
        (nn.Identity(), {}, "The module Identity has no weights"),
        (nn.Sequential(nn.Linear(3, 2)), {}, "The module Sequential runs on no input"),
        (torch.jit.script(nn.Conv2d(3, 2, 1)), {}, "A scripted module is no code"),
        ({"weight": torch.ones(2)}, {}, "A dict cannot be exported: give the path"),
    ],
)
def test_what_cannot_be_exported_is_said_in_a_sentence(tmp_path, given, options, told):
    with pytest.raises(segport.InputError) as error:
        segport.export(given, out=tmp_path / "build", **options)
    assert told in str(error.value)
    assert not (tmp_path / "build").exists()


def test_weights_that_are_not_numbers_are_refused(tmp_path, samples):
    network = Own()
    network.head.bias.data[0] = float("nan")
    with pytest.raises(segport.InputError, match="NaN"):
        segport.export(network, out=tmp_path, samples=samples, **SMALL)


def test_progress_is_told(tmp_path, samples):
    told = []
    segport.export(
        Own(), out=tmp_path, samples=samples, progress=lambda *now: told.append(now), **SMALL
    )
    stages = [what for what, done, _ in told if not done]
    assert stages == [
        *("Reading the checkpoint", "Tracing", "Writing TorchScript", "Checking parity"),
    ]
    assert told[-1] == ("Checking parity", 1, 1)
    assert ("Checking parity: torch.jit", 4, 4) in told


def test_a_verdict_that_failed_carries_its_report(tmp_path, samples, monkeypatch):
    def wrong(self, image):
        raise RuntimeError("out of luck")

    monkeypatch.setattr("validate.runtimes.torchscript.TorchScript.run", wrong)
    with pytest.raises(segport.ValidationFailed) as failed:
        segport.export(Own(), out=tmp_path, samples=samples, **SMALL)
    assert failed.value.report.verdict == "failed"
    assert (tmp_path / "Own.failed" / "Own.safetensors").is_file()


def test_masks_of_files_folders_and_arrays(exported, samples):
    _, bundle = exported
    pixels = np.asarray(Image.open(samples / "a.png"))
    of_folder = list(segport.predict(bundle, samples))
    of_files = list(segport.predict(bundle, [str(samples / "a.png"), samples / "b.png"]))
    (of_array,) = segport.predict(bundle.folder, pixels)
    assert [Path(each.name).name for each in of_folder] == ["a.png", "b.png"]
    assert of_array.name == "0"
    assert of_array.mask.shape == (48, 80)
    assert sum(area.pixels for area in of_array.areas) == 48 * 80
    for each in (of_folder[0], of_files[0]):
        assert np.array_equal(each.mask, of_array.mask)
    (tiled,) = segport.predict(bundle, pixels, formats="mlprogram", tiled=True, overlap=16)
    assert tiled.mask.shape == (48, 80)


def test_photos_that_cannot_be_used(exported, samples):
    _, bundle = exported
    (samples / "notes.txt").write_text("no picture")
    assert len(list(segport.predict(bundle, samples))) == 2
    for photo, told in (
        (samples / "notes.txt", "notes.txt cannot be used: not a picture"),
        (np.zeros((8, 8), np.uint8), "its shape is 8 × 8, not height × width × 3"),
        (np.full((8, 8, 3), 7.0), r"its numbers are not in \[0, 1\]"),
        (12, "A int is no photo"),
        (samples / "nowhere.png", "does not exist"),
    ):
        with pytest.raises(segport.InputError, match=told):
            list(segport.predict(bundle, [photo]))


def test_a_core_ml_file_runs_anywhere(exported, samples):
    model = segport.load_coreml(exported[1].files["mlprogram"])
    outputs = model.predict({"image": Image.open(samples / "b.png")})
    assert outputs["mask"].shape == (64, 64)
