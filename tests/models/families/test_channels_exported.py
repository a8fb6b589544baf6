"""Networks for one channel, for five, and for RGBA, through every format."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from seeded_states import State, loaded
from small_networks import calibrated_unet
from test_double_conv import STYLES
from test_main_job import call, export
from test_other_unets import LEE, lee_state, nested_state, res_state

from export.bundle import read_bundle
from models.deployable import Deployable
from validate import coreml
from validate.coreml.features import ArrayFeature, ImageFeature
from validate.parity.run import judge_network
from validate.report.json_file import read_results

FORMATS = "torchscript,mlprogram,neuralnetwork,onnx"


def saved(state: State, folder: Path) -> Path:
    torch.save(state, folder / "net.pt")
    return folder / "net.pt"


def spectral(path: Path, seed: int) -> None:
    np.save(path, np.random.default_rng(seed).random((50, 70, 5), np.float32))


def check_every_format(folder: Path, kind: type) -> None:
    bundle = read_bundle(folder)
    results = read_results(folder / "parity.json").results
    assert [result.status for result in results] == ["passed"] * 4, results
    for name in ("net.mlpackage", "net.mlmodel"):
        (feature,) = coreml.load(folder / name).interface.inputs
        assert isinstance(feature, kind)
        if isinstance(feature, ArrayFeature):
            assert (feature.shape, feature.dtype) == (bundle.contract.shape, "float32")
        else:
            assert feature.color == "GRAYSCALE"


def test_one_channel_is_a_grey_image_in_every_format(tmp_path: Path) -> None:
    path = saved(STYLES["hanyoseob"].state(1, 1), tmp_path)
    assert export(path, "--mean", "0.5", "--std", "0.25", formats=FORMATS) == 0
    folder = tmp_path / "build" / "net"
    check_every_format(folder, ImageFeature)
    assert read_bundle(folder).contract.mean == (0.5,)
    assert read_results(folder / "parity.json").photo_way is not None


def test_five_channels_are_an_array_in_every_format(tmp_path: Path) -> None:
    path = saved(STYLES["enc-bottleneck"].state(5, 3), tmp_path)
    samples = tmp_path / "samples"
    samples.mkdir()
    for number in range(3):
        spectral(samples / f"{number}.npy", number)
    assert export(path, "--samples", str(samples), formats=FORMATS) == 0
    folder = tmp_path / "build" / "net"
    check_every_format(folder, ArrayFeature)
    assert read_results(folder / "parity.json").photo_way is None
    stored = tmp_path / "reference.npz"
    assert call("validate", folder, "--samples", samples, "--write-reference", stored) == 0
    assert call("validate", folder, "--samples", samples, "--reference", stored) == 0
    spectral(samples / "1.npy", 9)
    assert call("validate", folder, "--samples", samples, "--reference", stored) == 2


def test_swapped_channels_of_an_array_are_noticed(tmp_path: Path) -> None:
    state = STYLES["enc-bottleneck"].state(5, 2)
    assert export(saved(state, tmp_path)) == 0
    folder = tmp_path / "build" / "net"
    assert "mixed to 5 channels" in read_results(folder / "parity.json").samples.origin
    bundle, first = read_bundle(folder), "enc1.conv.0.weight"
    network, _ = loaded({**state, first: state[first][:, [0, 1, 2, 4, 3]]}, tmp_path)
    report = judge_network(Deployable(network, bundle.contract), bundle, folder)
    assert not report.passed
    assert report.results[0].total.decisive_flips > 0


def test_independent_channels_have_a_mask_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(STYLES["enc-bottleneck"].state(3, 3), tmp_path)
    asked = ("--activation", "sigmoid", "--labels", "rust,dent,crack")
    assert export(path, *asked) == 0
    folder = tmp_path / "build" / "net"
    bundle = read_bundle(folder)
    assert (bundle.activation, bundle.source.choices.activation) == ("sigmoid", "sigmoid")
    assert bundle.mask_shape == (3, 64, 64)
    assert all(colour.endswith("99") for colour in bundle.colours)  # none is transparent
    image = torch.rand(2, 3, 64, 64)
    logits, mask = torch.jit.load(str(folder / "net.torchscript.pt"))(image)
    assert torch.equal(mask, (logits > 0).int())
    assert 0.01 < mask.float().mean() < 0.99
    assert call("validate", folder) == 0
    report = read_results(folder / "parity.json")
    assert report.independent and len(report.results[0].total.classes) == 3
    assert report.results[0].total.pixels == report.samples.used * 3 * 64 * 64
    capsys.readouterr()
    assert export(path, "--activation", "sigmoid", "--labels", "none,rust,dent,crack") == 2
    assert "name every channel, as none is background" in capsys.readouterr().err
    assert export(path, *asked, formats="mlprogram") == 0
    assert call("ios-demo", folder) == 2
    assert "3 independent channels, and the app paints one class" in capsys.readouterr().err


def test_a_mask_of_classes_is_no_mask_of_independent_channels(tmp_path: Path) -> None:
    """An exclusive network's file in the place of an independent one's."""
    path = saved(STYLES["enc-bottleneck"].state(3, 3), tmp_path)
    assert export(path) == 0
    folder = tmp_path / "build" / "net"
    bundle = read_bundle(folder)
    network, _ = loaded(torch.load(path), tmp_path)
    independent = replace(bundle.specification, activation="sigmoid")
    report = judge_network(
        Deployable(network, bundle.contract, independent=True),
        replace(bundle, specification=independent),
        folder,
    )
    assert report.results[0].status == "failed"
    assert "its mask has the shape (1, 64, 64), not (3, 64, 64)" in report.results[0].reasons[0]


def test_one_channel_cannot_be_softmax(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(STYLES["hanyoseob"].state(1, 1), tmp_path)
    assert export(path, "--activation", "softmax") == 2
    assert "which softmax would make 1 everywhere" in capsys.readouterr().err
    assert export(path, "--activation", "sigmoid", "--mean", "1,2,3") == 2
    assert "MEAN has 3 value(s) and the network takes 1 channel" in capsys.readouterr().err
    assert export(path, formats="neuralnetwork") == 0
    assert call("ios-demo", tmp_path / "build" / "net") == 2
    told = capsys.readouterr().err
    assert "takes pictures of other channels (grey), and the app gives RGB" in told


def test_the_user_decides_what_a_published_sigmoid_means(tmp_path: Path) -> None:
    state = STYLES["mateuszbuda"].state(3, 3)
    _, found = loaded(state, tmp_path)
    assert found.independent
    _, exclusive = loaded(state, tmp_path, activation="softmax")
    assert not exclusive.independent
    assert replace(exclusive, activation="sigmoid") == found


GREY = {
    "double_conv": lambda: STYLES["milesial"].state(1, 1),
    "attention": lambda: lee_state(*LEE["Attention U-Net"], 1, 1),
    "recurrent": lambda: lee_state(*LEE["R2 U-Net"], 1, 1),
    "nested": lambda: nested_state(3, 1, 1),
    "residual": lambda: res_state(1, 1),
}


@pytest.mark.parametrize("family", GREY)
def test_every_family_for_grey_pictures_is_exported(family: str, tmp_path: Path) -> None:
    assert export(saved(GREY[family](), tmp_path)) == 0
    bundle = read_bundle(tmp_path / "build" / "net")
    assert (bundle.contract.colour, bundle.activation) == ("grey", "sigmoid")
    assert not bundle.specification.independent
    assert bundle.mask_shape == (64, 64)


@pytest.mark.slow
def test_an_smp_unet_for_rgba_with_independent_channels_passes_in_every_format(
    tmp_path: Path,
) -> None:
    path = saved(calibrated_unet(in_channels=4, classes=3).state_dict(), tmp_path)
    assert export(path, "--activation", "sigmoid", formats=FORMATS) == 0
    check_every_format(tmp_path / "build" / "net", ArrayFeature)
