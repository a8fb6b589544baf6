"""Options are parsed before anything slow happens, and refused in one sentence."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from export import settings
from export.metadata import Description, metadata
from models.errors import InputError
from models.labels import Labels
from models.specification import InputContract, Specification

NETWORK = Specification("smp", "Unet", in_channels=3, classes=2, stride=32, arguments={})


@pytest.mark.parametrize(
    ("text", "size"), [("512x384", (512, 384)), ("320X256", (320, 256)), ("64×32", (64, 32))]
)
def test_a_size_is_width_by_height(text: str, size: tuple[int, int]) -> None:
    assert settings.parse_size(text) == size


def test_one_number_is_a_square() -> None:
    assert settings.parse_size(" 256 ") == (256, 256)


@pytest.mark.parametrize("text", ["", "big", "12x", "x12", "1.5x2", "-4x4", "0x64", "99999x64"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="SIZE="):
        settings.parse_size(text)


def test_a_size_that_does_not_fit_names_the_two_nearest() -> None:
    settings.require_size_fits(320, 256, NETWORK)
    with pytest.raises(InputError, match=r"multiples of 32.* are 224x224 and 256x256"):
        settings.require_size_fits(250, 250, NETWORK)
    with pytest.raises(InputError, match="are 32x64 and 32x96"):
        settings.require_size_fits(20, 65, NETWORK)


def test_a_size_below_the_smallest_names_that_alone() -> None:
    with pytest.raises(InputError, match=r"The smallest that fits is 32x32\.$"):
        settings.require_size_fits(8, 9, NETWORK)


def test_an_option_whose_bytes_are_no_text_is_refused() -> None:
    settings.require_text({"author": "배경", "licence": None})
    with pytest.raises(InputError, match=r"AUTHOR=x\\udcff is no text: write it in UTF-8\."):
        settings.require_text({"author": "x\udcff"})


def test_a_size_that_is_not_given_is_one_that_the_network_takes() -> None:
    assert settings.default_size(NETWORK) == (256, 256)
    unpadded = replace(NETWORK, stride=16, offset=12, margin=92)
    assert settings.default_size(unpadded) == (268, 268)
    settings.require_size_fits(268, 268, unpadded)


def test_a_network_of_one_size_takes_that_alone() -> None:
    fixed = replace(NETWORK, fixed_size=(224, 384))
    assert settings.default_size(fixed) == (224, 384)
    settings.require_size_fits(224, 384, fixed)
    with pytest.raises(InputError, match=r"SIZE=384x224 .* takes pictures of 224x384 alone"):
        settings.require_size_fits(384, 224, fixed)


def test_means_are_numbers_and_deviations_are_positive() -> None:
    assert settings.parse_channels("0.485, 0.456,0.406", "MEAN") == (0.485, 0.456, 0.406)
    assert settings.parse_channels(None, "MEAN") is None
    assert settings.parse_channels("0.5", "MEAN") == (0.5,)
    for text in ("a,b,c", "0.1,0.2,nan", "inf,0,0", ""):
        with pytest.raises(InputError, match="MEAN="):
            settings.parse_channels(text, "MEAN")
    with pytest.raises(InputError, match="above zero"):
        settings.parse_channels("0.2,0,0.2", "STD")


def test_means_have_a_value_for_each_channel_of_the_network() -> None:
    three = settings.Settings(mean=(0.5, 0.4, 0.3), std=(1.0, 1.0, 1.0))
    contract = three.contract_for(NETWORK)
    assert (contract.channels, contract.mean) == (3, (0.5, 0.4, 0.3))
    grey = replace(NETWORK, in_channels=1)
    with pytest.raises(InputError, match=r"MEAN has 3 value\(s\) and the network takes 1 channel"):
        three.contract_for(grey)
    assert settings.Settings(std=(0.5,)).contract_for(grey).shape == (1, 1, 256, 256)


def test_formats_come_in_writing_order() -> None:
    assert settings.parse_formats("onnx, torchscript") == ("torchscript", "onnx")
    assert settings.parse_formats(None) == ("torchscript", "mlprogram", "onnx")
    with pytest.raises(InputError, match="names tflite: choose from torchscript, mlprogram"):
        settings.parse_formats("onnx,tflite")
    with pytest.raises(InputError, match="is empty"):
        settings.parse_formats(" , ")


def test_targets_are_taken_in_any_spelling() -> None:
    assert settings.parse_target("ios16") == "iOS16"
    assert settings.parse_target("iOS 18") == "iOS18"
    with pytest.raises(InputError, match="TARGET=iOS99 is not a deployment target"):
        settings.parse_target("iOS99")


def test_a_target_before_ios_15_gets_the_neuralnetwork_backend() -> None:
    formats, note = settings.checked_formats(("torchscript", "mlprogram", "onnx"), "iOS14")
    assert formats == ("torchscript", "neuralnetwork", "onnx")
    assert note is not None and "iOS14" in note
    assert settings.checked_formats(("mlprogram",), "iOS15") == (("mlprogram",), None)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("breakage.pt", "breakage"),
        ("[DAMAGE][Breakage_3]Unet.pt", "DAMAGE-Breakage_3-Unet"),
        ("my model (final).v2.pth", "my-model-final-.v2"),
        ("파손.pt", "파손"),
        ("...pt", "model"),
    ],
)
def test_bundle_names_are_safe_in_paths(file: str, name: str) -> None:
    assert settings.bundle_name(Path(file)) == name


def test_a_checkpoint_whose_name_is_no_text_can_be_written_of() -> None:
    labels = Labels(("background", "breakage"), ("0x00000000", "0xD55E0099"), "LABELS")
    described = Description(NETWORK, InputContract(64, 64), labels, "bad\udcff.pt", "0" * 64)
    facts = json.loads(metadata(described)["segport.checkpoint"])
    assert facts["file"] == "bad\udcff.pt"
    assert all(text.encode() for text in metadata(described).values())
