"""The main job through its command line, as a user runs it, on small networks.

Each test that needs all formats pays for three conversions; most ask for TorchScript alone,
which goes the same way from the checkpoint to the verdict.
"""

import collections
import json
import re
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from small_networks import ROOT, SHARED, calibrated_unet
from torch import Tensor, nn

from export.bundle import read_bundle
from models.common.cli import run
from segport.__main__ import group
from validate.report.json_file import read_results

Save = Callable[..., Path]
State = dict[str, Tensor]


def call(*arguments: object) -> int:
    """Run `segport` in this process and return its exit code."""
    words = [str(argument) for argument in arguments]
    with pytest.raises(SystemExit) as ended, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["segport", *words])
        patch.setattr("signal.signal", lambda *_: None)
        run(group, "segport")
    return int(ended.value.code or 0)


def export(checkpoint: Path, *options: str, formats: str = "torchscript", size: str = "64") -> int:
    out = checkpoint.parent / "build"
    return call("export", checkpoint, "--out", out, "--formats", formats, "--size", size, *options)


def bundles(checkpoint: Path) -> list[str]:
    """Everything that lies in the output folder, hidden or not."""
    out = checkpoint.parent / "build"
    return sorted(path.name for path in out.iterdir()) if out.exists() else []


def test_every_format_agrees_and_the_bundle_says_so(
    saved: Save, state_dict: State, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved({"state_dict": state_dict, "epoch": 3})
    formats = "torchscript,mlprogram,neuralnetwork,onnx"
    assert export(path, "--labels", "background,breakage", formats=formats, size="96x64") == 0
    folder = path.parent / "build" / "breakage"
    assert sorted(p.name for p in folder.iterdir()) == [
        "README.md",
        "breakage.mlmodel",
        "breakage.mlpackage",
        "breakage.onnx",
        "breakage.torchscript.pt",
        "bundle.json",
        "junit.xml",
        "parity.json",
        "parity.md",
        "report.html",
    ]
    bundle = read_bundle(folder)
    assert bundle.shape == (1, 2, 64, 96)
    assert bundle.source.path == "../../breakage.pt"
    assert bundle.specification.arguments["encoder_name"] == "resnet18"
    assert len(bundle.keys["loaded"]) + len(bundle.keys["ignored"]) >= len(state_dict)
    results = read_results(folder / "parity.json")
    assert [r.status for r in results.results] == ["passed"] * 4
    assert all(r.total is not None and r.total.decisive_flips == 0 for r in results.results)
    output = capsys.readouterr().out
    assert "breakage.mlpackage" in output
    assert "parity held" in output
    assert call("validate", folder) == 0


def test_the_files_explain_themselves(saved: Save, state_dict: State) -> None:
    """A file found alone tells its labels, input and origin, whatever its format."""
    import onnx
    from coremltools.proto import Model_pb2

    path = saved(state_dict, "[DAMAGE][Breakage_3]Unet.pt")
    given = ("--author", "A. Person", "--licence", "MIT", "--mean", "0.5,0.4,0.3")
    assert export(path, *given, formats="torchscript,mlprogram,onnx") == 0
    folder = path.parent / "build" / "DAMAGE-Breakage_3-Unet"
    name = folder.name
    extra = {"segport.json": ""}
    torch.jit.load(str(folder / f"{name}.torchscript.pt"), _extra_files=extra)
    expected = json.loads(extra["segport.json"])
    assert json.loads(expected["segport.labels"]) == ["background", "breakage"]
    assert json.loads(expected["segport.input"])["mean"] == [0.5, 0.4, 0.3]
    assert json.loads(expected["segport.checkpoint"])["file"] == path.name
    model = onnx.load(folder / f"{name}.onnx")
    assert {p.key: p.value for p in model.metadata_props} == expected
    assert str(ROOT).encode() not in model.SerializeToString()
    packaged = next((folder / f"{name}.mlpackage").rglob("*.mlmodel"))
    metadata = Model_pb2.Model.FromString(packaged.read_bytes()).description.metadata
    assert expected.items() <= dict(metadata.userDefined).items()
    assert (metadata.author, metadata.license) == ("A. Person", "MIT")
    preview = json.loads(metadata.userDefined["com.apple.coreml.model.preview.params"])
    assert preview["labels"] == ["background", "breakage"]
    assert metadata.userDefined["com.apple.coreml.model.preview.type"] == "imageSegmenter"


def prefixed(prefix: str) -> Callable[[State], object]:
    return lambda state: {prefix + key: tensor for key, tensor in state.items()}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        prefixed("model."),
        prefixed("module."),
        prefixed("_orig_mod."),
        prefixed("module._orig_mod.model."),
        lambda state: {"model_state_dict": state, "optimizer": {"state": {}, "param_groups": []}},
        lambda state: {
            "state_dict": {**prefixed("model.")(state), "loss_fn.weight": torch.ones(2)},
            "pytorch-lightning_version": "2.4.0",
            "hyper_parameters": {"lr": 1e-3},
            "epoch": 9,
        },
        lambda state: {key: tensor.half() for key, tensor in state.items()},
        collections.OrderedDict,
    ],
    ids="bare model module _orig_mod nested trainer lightning half ordered".split(),
)
def test_state_dicts_in_every_wrapping(
    saved: Save, state_dict: State, wrap: Callable[[State], object]
) -> None:
    path = saved(wrap(state_dict))
    assert export(path) == 0
    assert bundles(path) == ["breakage"]


def test_a_legacy_file(saved: Save, state_dict: State) -> None:
    assert export(saved(state_dict, _use_new_zipfile_serialization=False)) == 0


def test_safetensors_and_a_folder_of_save_pretrained(
    tmp_path: Path, unet: nn.Module, state_dict: State
) -> None:
    save_file(state_dict, tmp_path / "weights.safetensors")
    assert export(tmp_path / "weights.safetensors") == 0
    unet.save_pretrained(tmp_path / "pretrained")
    assert export(tmp_path / "pretrained") == 0
    assert bundles(tmp_path / "x") == ["pretrained", "weights"]


def test_a_whole_module_whose_class_is_gone(saved: Save, unet: nn.Module) -> None:
    module = types.ModuleType("their_project")

    class TheirNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = unet

    TheirNet.__module__, TheirNet.__qualname__ = "their_project", "TheirNet"
    module.TheirNet = TheirNet
    sys.modules["their_project"] = module
    try:
        path = saved(TheirNet())
    finally:
        del sys.modules["their_project"]
    assert export(path) == 0


@pytest.mark.parametrize(
    ("encoder", "classes"),
    [("resnet18", 16), ("resnet18", 1), ("mobilenet_v2", 2), ("efficientnet-b0", 2)],
)
def test_other_networks_and_class_counts(saved: Save, encoder: str, classes: int) -> None:
    path = saved(calibrated_unet(encoder, classes).state_dict())
    assert export(path, formats="mlprogram") == 0
    bundle = read_bundle(path.parent / "build" / "breakage")
    assert bundle.specification.classes == classes
    assert bundle.activation == ("sigmoid" if classes == 1 else "softmax")
    assert len(bundle.labels) == max(2, classes)


def test_an_old_target_falls_back_and_says_so(
    saved: Save, state_dict: State, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(state_dict)
    assert export(path, "--target", "iOS14", formats="mlprogram") == 0
    bundle = read_bundle(path.parent / "build" / "breakage")
    assert [artifact.format for artifact in bundle.artifacts] == ["neuralnetwork"]
    assert "iOS14 cannot run an mlprogram" in bundle.notes[0]
    assert "iOS14 cannot run an mlprogram" in capsys.readouterr().out


def test_a_converter_error_falls_back_and_says_so(
    saved: Save, state_dict: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    from export import to_coreml

    monkeypatch.setattr(to_coreml, "_has_weight_writer", lambda: False)
    path = saved(state_dict)
    assert export(path, formats="mlprogram") == 0
    bundle = read_bundle(path.parent / "build" / "breakage")
    assert [artifact.format for artifact in bundle.artifacts] == ["neuralnetwork"]
    assert "no weight writer" in bundle.notes[0]


def refused(checkpoint: Path, *options: str, size: str = "64", capsys: object) -> str:
    """The one sentence that `checkpoint` is refused with; nothing is left behind."""
    assert export(checkpoint, *options, size=size) == 2
    assert bundles(checkpoint) == []
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert captured.err.count("\n") == 1, captured.err
    return captured.err


def test_files_that_are_no_checkpoints(
    tmp_path: Path, saved: Save, state_dict: State, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = saved(state_dict).read_bytes()
    for content, word in [
        (whole[: len(whole) // 2], "cut"),
        (b"", "empty"),
        (b"dear diary\n" * 9, "text"),
        (b"\xff\xd8\xff\xe0" + bytes(64), "JPEG"),
    ]:
        path = tmp_path / "odd.pt"
        path.write_bytes(content)
        assert word in refused(path, capsys=capsys)


def test_a_malicious_pickle_is_refused_by_name_and_does_not_run(
    tmp_path: Path, saved: Save, capsys: pytest.CaptureFixture[str]
) -> None:
    import os

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path / 'canary'}",)

    assert f"{os.name}.system" in refused(saved({"state_dict": Evil()}), capsys=capsys)
    assert not (tmp_path / "canary").exists()


def test_networks_that_are_not_the_one_asked_for(
    saved: Save, state_dict: State, capsys: pytest.CaptureFixture[str]
) -> None:
    from torchvision.models import resnet18
    from torchvision.models.segmentation import lraspp_mobilenet_v3_large

    told = refused(saved(resnet18().state_dict()), capsys=capsys)
    assert re.search(r"layer4 \(30\), fc \(2\), which look like .* ResNet classifier", told)
    network = lraspp_mobilenet_v3_large(weights_backbone=None)
    told = refused(saved(network.state_dict()), capsys=capsys)
    assert re.search(r"backbone \(308\), classifier \(11\), .* torchvision segmentation", told)
    changed = {key.replace("decoder.blocks", "decoder.steps"): t for key, t in state_dict.items()}
    told = refused(saved(changed), capsys=capsys)
    assert re.search(r"Nearest: smp Unet \(\d+ of \d+ keys fit, not decoder \(\d+\); ", told)
    assert "there is nothing like decoder.blocks.1)" in told
    assert "--model path/to/file.py:ClassName" in told
    path = saved(calibrated_unet(classes=16).state_dict())
    told = refused(path, "--labels", "background,breakage", capsys=capsys)
    assert "breakage.pt has 16 classes, LABELS names 2" in told
    path = saved(state_dict)
    told = refused(path, "--encoder", "resnet34", capsys=capsys)
    assert "missing" in told and "encoder.layer1.2.bn1.bias" in told


def test_weights_and_sizes_that_cannot_work(
    saved: Save, state_dict: State, capsys: pytest.CaptureFixture[str]
) -> None:
    told = refused(saved(state_dict), size="250x250", capsys=capsys)
    assert "224x224 and 256x256" in told
    state_dict["decoder.blocks.0.conv1.0.weight"][0, 0, 0, 0] = float("nan")
    assert "NaN" in refused(saved(state_dict), capsys=capsys)


def test_an_unwritable_place(
    saved: Save, state_dict: State, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(state_dict)
    (tmp_path / "file").write_text("")
    code = call("export", path, "--out", tmp_path / "file", "--size", "64")
    assert code == 2
    assert "cannot be written" in capsys.readouterr().err


class Negated(nn.Module):
    """A network that computes the opposite of another."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        logits, _ = self.network(image)
        return -logits, (-logits).argmax(1).to(torch.int32)


def test_a_failed_parity_is_not_handed_over(
    saved: Save, state_dict: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The earlier bundle stays, and what failed is kept apart with its report."""
    path = saved(state_dict)
    assert export(path) == 0
    before = read_bundle(path.parent / "build" / "breakage")
    from export import to_torchscript

    write = to_torchscript.write_torchscript

    def wrong(traced: torch.jit.ScriptModule, place: Path, metadata: dict[str, str]) -> None:
        opposite = Negated(traced).eval()
        write(torch.jit.trace(opposite, torch.rand(1, 3, 64, 64)), place, metadata)

    monkeypatch.setattr("export.formats.write_torchscript", wrong)
    assert export(path) == 1
    assert bundles(path) == ["breakage", "breakage.failed"]
    assert read_bundle(path.parent / "build" / "breakage") == before
    kept = read_results(path.parent / "build" / "breakage.failed" / "parity.json")
    assert kept.verdict == "failed"


def test_validate_finds_a_changed_file_and_a_changed_checkpoint(
    saved: Save, state_dict: State, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(state_dict)
    assert export(path) == 0
    folder = path.parent / "build" / "breakage"
    state_dict["segmentation_head.0.bias"] += 1
    saved(state_dict)
    assert call("validate", folder) == 2
    assert "is not the checkpoint" in capsys.readouterr().err
    script = folder / "breakage.torchscript.pt"
    content = bytearray(script.read_bytes())
    content[len(content) // 2] ^= 1
    script.write_bytes(content)
    assert call("validate", folder) == 2
    assert "is not the file that was exported" in capsys.readouterr().err


def test_inspect_tells_and_writes_nothing(
    saved: Save, state_dict: State, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved({"state_dict": prefixed("module.")(state_dict)})
    before = sorted(path.parent.iterdir())
    assert call("inspect", path) == 0
    told = capsys.readouterr().out
    for word in ("smp Unet, encoder resnet18", "state_dict", "module.", "--interpolation"):
        assert word in told
    assert sorted(path.parent.iterdir()) == before
    del state_dict["encoder.conv1.weight"]
    assert call("inspect", saved(state_dict)) == 2
    assert "Missing" in capsys.readouterr().out


def test_real_photos(saved: Save, state_dict: State, car_photos: Path) -> None:
    path = saved(state_dict)
    assert export(path, "--samples", str(car_photos), formats="mlprogram") == 0
    results = read_results(path.parent / "build" / "breakage" / "parity.json")
    assert results.samples.used >= 15


@pytest.mark.slow
def test_a_trained_full_size_checkpoint(tmp_path: Path, car_photos: Path) -> None:
    """Every format of a trained U-Net with ResNet34 on real photos, at full size."""
    checkpoint = SHARED / "checkpoints" / "damage_resnet34_trained_fp16.safetensors"
    if not checkpoint.is_file():
        pytest.skip(f"the trained checkpoint is not here: {checkpoint}")
    pictures = tmp_path / "photos"
    pictures.mkdir()
    for photo in sorted(car_photos.glob("*.jpg"))[:4]:
        (pictures / photo.name).write_bytes(photo.read_bytes())
    link = tmp_path / "damage.safetensors"
    link.symlink_to(checkpoint)
    formats = "torchscript,mlprogram,onnx"
    assert export(link, "--samples", str(pictures), formats=formats, size="256") == 0
    results = read_results(tmp_path / "build" / "damage" / "parity.json").results
    assert all(result.total.psnr > 70 for result in results)


def test_a_target_that_is_too_old_for_the_network_is_told_with_the_oldest_that_is_not(
    saved: Save, state_dict: State, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(state_dict)
    assert export(path, "--target", "iOS13", formats="neuralnetwork") == 2
    assert capsys.readouterr().err == (
        "Error: The network cannot be converted to Core ML (it needs iOS14 or later). Choose "
        "--target iOS14, or leave --target away.\n"
    )
    assert not (path.parent / "build").exists()
