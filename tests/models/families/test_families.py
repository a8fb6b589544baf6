"""Recognition of smp Unets: what was built is read back from keys and shapes alone."""

import models.torchvision_shim  # noqa: F401

import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import segmentation_models_pytorch as smp
import torch

from models.errors import InputError
from models.families.encoders import build, catalogue
from models.families.hints import likeliest
from models.families.recognise import recognise
from models.families.smp import unet as smp_unet
from models.specification import Choices, Specification

PATH = Path("breakage.pt")
SLIM = (32, 24, 16, 12, 8)


def shapes_of(network: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    return {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}


def unet(**arguments: object) -> torch.nn.Module:
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return smp.Unet(encoder_weights=None, **arguments)


def specification_of(network: torch.nn.Module, **choices: str) -> Specification:
    return recognise(PATH, shapes_of(network), Choices(**choices))[1]


@pytest.mark.parametrize(
    "arguments",
    [
        {"encoder_name": "resnet34", "classes": 2},
        {"encoder_name": "resnet18", "classes": 16, "in_channels": 1},
        {"encoder_name": "resnet50", "classes": 1, "decoder_channels": SLIM},
        {"encoder_name": "efficientnet-b0", "decoder_attention_type": "scse"},
        {"encoder_name": "mobilenet_v2", "encoder_depth": 4, "decoder_channels": SLIM[:4]},
        {"encoder_name": "resnet18", "encoder_depth": 3, "decoder_channels": SLIM[:3]},
        {"encoder_name": "vgg11_bn", "classes": 3},
        {"encoder_name": "resnet18", "decoder_use_norm": False},
        {"encoder_name": "timm-efficientnet-b0", "in_channels": 4},
        {"encoder_name": "tu-regnety_002"},
        {"encoder_name": "mobileone_s0"},
        {"encoder_name": "densenet121"},
    ],
    ids=lambda a: "-".join(map(str, a.values())),
)
def test_reads_back_what_was_built(arguments: dict[str, object]) -> None:
    """Round trip: arguments → network → shapes → arguments."""
    found = specification_of(unet(**arguments))
    expected = {"classes": 1, "in_channels": 3, **arguments}
    assert found.classes == expected.pop("classes")
    assert found.in_channels == expected.pop("in_channels")
    for name, value in expected.items():
        assert found.arguments[name] == value, name
    with torch.device("meta"):
        rebuilt = smp_unet.FAMILY.build(found)
    assert shapes_of(rebuilt) == shapes_of(unet(**arguments))


def test_stride_follows_the_depth() -> None:
    arguments = {"encoder_name": "resnet18", "decoder_channels": SLIM[:4], "encoder_depth": 4}
    assert specification_of(unet(**arguments)).stride == 16


def test_instance_norm_is_told_from_no_norm() -> None:
    norm = {"type": "instancenorm", "affine": True}
    found = specification_of(unet(encoder_name="resnet18", decoder_use_norm=norm))
    assert found.arguments["decoder_use_norm"] == norm


@pytest.mark.parametrize("name", ["tu-gernet_s", "tu-resnest14d", "tu-regnetx_002"])
def test_timm_encoders_of_older_smp_are_found_and_renamed(name: str) -> None:
    """smp 0.2 to 0.4 kept these tensors below `encoder.`, without `model.`."""
    older = {
        key.replace("encoder.model.", "encoder.").replace(".stages_", ".stages."): shape
        for key, shape in shapes_of(unet(encoder_name=name)).items()
    }
    family, found = recognise(PATH, older, Choices())
    assert found.arguments["encoder_name"] == name
    renamed = family.renamed(older, found)
    network = shapes_of(unet(encoder_name=name))
    assert {renamed.get(key, key) for key in network} == set(older)


def test_a_classifier_is_refused_as_one() -> None:
    from torchvision.models import resnet34

    with torch.device("meta"):
        network = resnet34()
    with pytest.raises(InputError, match=r"ResNet classifier .* draws no mask"):
        recognise(PATH, shapes_of(network), Choices())


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (
            {"decoder": "dec"},
            r"keys of smp Unet, encoder resnet18.*\(`dec\.` for `decoder\.`\)",
        ),
        (
            {"encoder": "backbone", "decoder": "dec", "segmentation_head": "head"},
            r"`backbone\.` for `encoder\.` and `dec\.` for `decoder\.` and `head\.` for `segm",
        ),
    ],
)
def test_an_smp_network_whose_parts_have_other_names_is_told_so(
    names: dict[str, str], told: str
) -> None:
    shapes = shapes_of(unet(encoder_name="resnet18"))
    parts = {key: key.partition(".") for key in shapes}
    odd = {f"{names.get(p, p)}.{rest}": shapes[key] for key, (p, _, rest) in parts.items()}
    with pytest.raises(InputError, match=f"{told}.*rename them .* MODEL=path/to/file"):
        recognise(PATH, odd, Choices())


def test_unknown_keys_are_shown_as_a_tree() -> None:
    with pytest.raises(InputError, match=r"blah \(2\), other \(1\)"):
        recognise(PATH, {"blah.a": (1,), "blah.b": (1,), "other": (1,)}, Choices())


def test_a_state_dict_with_a_missing_tensor_still_finds_its_encoder() -> None:
    shapes = shapes_of(unet(encoder_name="resnet34"))
    del shapes["encoder.layer4.2.bn2.weight"]
    assert recognise(PATH, shapes, Choices())[1].arguments["encoder_name"] == "resnet34"


def test_an_unknown_encoder_below_a_unet_decoder_is_refused() -> None:
    shapes = shapes_of(unet(encoder_name="resnet18"))
    odd = {key.replace("encoder.layer", "encoder.stufe"): shape for key, shape in shapes.items()}
    with pytest.raises(InputError, match="no encoder that Segport knows has the tensors"):
        recognise(PATH, odd, Choices())


def test_the_encoder_asked_for_wins_and_near_names_are_offered() -> None:
    network = unet(encoder_name="resnet18")
    assert specification_of(network, encoder="resnet50").arguments["encoder_name"] == "resnet50"
    with pytest.raises(InputError, match=r"ENCODER=resnet43 .* resnet34"):
        specification_of(network, encoder="resnet43")


def test_an_ambiguity_lists_the_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    twin = replace(catalogue.catalogue()["resnet18"], meaning="another")
    monkeypatch.setitem(catalogue.catalogue(), "resnet18-twin", twin)
    with pytest.raises(InputError, match=r"resnet18, resnet18-twin all fit\. Say ENCODER=resnet18"):
        specification_of(unet(encoder_name="resnet18"))


def test_interpolation_is_said_to_be_assumed_unless_chosen() -> None:
    network = unet(encoder_name="resnet18")
    assert "INTERPOLATION=" in specification_of(network).assumed["decoder_interpolation"]
    chosen = specification_of(network, interpolation="bilinear")
    assert chosen.arguments["decoder_interpolation"] == "bilinear"
    assert not chosen.assumed
    with pytest.raises(InputError, match="INTERPOLATION=cubic is none of smp's"):
        specification_of(network, interpolation="cubic")


@pytest.mark.parametrize("name", ["resnet34", "mobilenet_v2", "mit_b0", "tu-regnetx_004"])
def test_the_catalogue_is_what_the_installed_smp_builds(name: str) -> None:
    """Reference oracle; the slow test looks at all of them."""
    assert build.describe(name) == catalogue.catalogue()[name]


@pytest.mark.slow
def test_every_fortieth_entry_of_the_catalogue_is_what_the_installed_timm_builds() -> None:
    """All of them take minutes; `make catalogue` shows them by leaving the file unchanged."""
    for name, entry in list(catalogue.catalogue().items())[::40]:
        assert build.describe(name) == entry, name


def test_signatures_tell_smps_own_encoders_apart() -> None:
    own = [entry for name, entry in catalogue.catalogue().items() if not name.startswith("tu-")]
    signatures = [signature for entry in own for signature in entry.signatures]
    assert len(set(signatures)) == len(signatures) >= 70


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        (["encoder.conv1.weight"], "an encoder alone"),
        (["decoder.blocks.x_0_0.conv1.0.weight"], "smp UnetPlusPlus"),
        (["transformer.embeddings.a", "decoder.conv_more.0.weight"], "TransUNet"),
        (["backbone.body.conv1.weight", "roi_heads.box.weight"], "detector"),
    ],
)
def test_lookalikes(keys: list[str], what: str) -> None:
    assert what in str(likeliest(keys))
