"""Encoders below smp's decoders: which they are, how deep, and what sizes they take."""

from pathlib import Path

import pytest
from smp_networks import VIT, shapes

from models.errors import InputError
from models.families.recognise import recognise
from models.meta_device import built
from models.specification import Choices, Specification

PATH = Path("net.pt")


def specification_of(given: dict[str, tuple[int, ...]], **choices: str) -> Specification:
    return recognise(PATH, given, Choices(**choices))[1]


@pytest.mark.parametrize("side", [96, 224])
def test_a_vision_transformer_takes_the_size_of_its_position_embeddings(side: int) -> None:
    given = shapes("DPT", img_size=side)
    family, found = recognise(PATH, given, Choices(encoder=VIT))
    assert found.fixed_size == (side, side)
    network = built(lambda: family.build(found)).state_dict()
    assert tuple(network["encoder.model.pos_embed"].shape) == given["encoder.model.pos_embed"]


def test_relative_positions_of_patches_tell_the_size_too() -> None:
    given = shapes("DPT", "tu-beit_base_patch16_224", img_size=128)
    found = specification_of(given, encoder="tu-beit_base_patch16_224")
    assert (found.fixed_size, found.arguments["img_size"]) == ((128, 128), 128)


def test_windows_that_timm_makes_for_one_size_are_for_it_alone() -> None:
    found = specification_of(shapes("Unet", "tu-swin_tiny_patch4_window7_224"))
    assert found.arguments["encoder_name"] == "tu-swin_tiny_patch4_window7_224"
    assert found.fixed_size == (224, 224)
    assert specification_of(shapes("Unet", "tu-convnext_atto")).fixed_size is None


def test_an_encoder_of_timm_beyond_the_catalogue_is_taken_by_name() -> None:
    given = shapes("Unet", "tu-davit_tiny")
    with pytest.raises(InputError, match=r"no encoder that Segport knows .* Say ENCODER="):
        specification_of(given)
    family, found = recognise(PATH, given, Choices(encoder="tu-davit_tiny.msft_in1k"))
    network = built(lambda: family.build(found)).state_dict()
    assert {key: tuple(tensor.shape) for key, tensor in network.items()} == given


def test_a_network_of_timm_that_smp_cannot_use_is_refused() -> None:
    with pytest.raises(InputError, match="ENCODER=tu-efficientvit_m0 is a network of timm that"):
        specification_of(shapes("Unet"), encoder="tu-efficientvit_m0")


def test_layers_without_tensors_are_settled_by_the_user() -> None:
    """A ResNet with blurred pooling has the shapes of one without."""
    given = shapes("Unet", "tu-resnet18")
    with pytest.raises(InputError, match="tu-resnet18, tu-resnetblur18 all fit"):
        specification_of(given)
    assert specification_of(given, encoder="tu-resnetblur18").title.endswith("tu-resnetblur18")


def test_a_shallower_timm_encoder_lacks_its_last_stages() -> None:
    arguments = {"encoder_depth": 4, "decoder_channels": (16, 12, 8, 8)}
    found = specification_of(shapes("Unet", "tu-regnety_002", **arguments))
    assert (found.arguments["encoder_depth"], found.stride) == (4, 16)
