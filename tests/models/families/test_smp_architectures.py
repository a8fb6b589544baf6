"""All architectures of smp: read back from shapes, computed as smp computes, never mistaken."""

import copy
import itertools
import random
from pathlib import Path

import pytest
import torch
from damaged_states import answer, part_damaged
from smp_networks import ARCHITECTURES, VIT, calibrated, network, shapes

from models.errors import InputError
from models.families.encoders.catalogue import COUNTER
from models.families.recognise import recognise
from models.load import load_network, recognise_checkpoint
from models.meta_device import built
from models.specification import Choices

PATH = Path("net.pt")
Shapes = dict[str, tuple[int, ...]]
INSTANCE = {"type": "instancenorm", "affine": True}
CONFIGURATIONS = [
    ("UnetPlusPlus", "resnet18", {"decoder_attention_type": "scse"}),
    ("UnetPlusPlus", "vgg11_bn", {"decoder_use_norm": False}),
    ("UnetPlusPlus", "mobilenet_v2", {"encoder_depth": 3, "decoder_channels": (16, 12, 8)}),
    ("MAnet", "resnet18", {"decoder_use_norm": INSTANCE, "in_channels": 1}),
    ("MAnet", "mit_b0", {"decoder_pab_channels": 8}),
    ("MAnet", "tu-regnetx_002", {"encoder_depth": 4, "decoder_channels": (16, 12, 8, 8)}),
    ("Linknet", "resnet18", {"decoder_use_norm": False}),
    ("Linknet", "tu-convnext_atto", {}),
    ("Linknet", "mobilenet_v2", {"encoder_depth": 4, "classes": 7}),
    ("FPN", "resnet18", {"decoder_merge_policy": "cat"}),
    ("FPN", "tu-regnety_002", {"encoder_depth": 4, "upsampling": 2}),
    ("FPN", "efficientnet-b0", {"in_channels": 4}),
    ("PSPNet", "resnet18", {"encoder_depth": 5, "upsampling": 32}),
    ("PSPNet", "tu-regnety_002", {}),
    ("PSPNet", "vgg11_bn", {"decoder_use_norm": False}),
    ("DeepLabV3", "resnet18", {"decoder_aspp_separable": True}),
    ("DeepLabV3", "tu-regnetx_002", {}),
    ("DeepLabV3Plus", "mobilenet_v2", {"decoder_aspp_separable": False}),
    ("PAN", "resnet18", {"encoder_depth": 4}),
    ("PAN", "efficientnet-b0", {}),
    ("UPerNet", "resnet18", {"encoder_depth": 3}),
    ("UPerNet", "tu-convnext_atto", {"decoder_use_norm": INSTANCE}),
    ("Segformer", "mit_b0", {"classes": 1}),
    ("Segformer", "resnet18", {"encoder_depth": 4}),
    ("Segformer", "tu-convnext_atto", {}),
]


def rebuilt(given: Shapes, **choices: str) -> tuple[Shapes, dict[str, object], str]:
    """The shapes of the network that `given` is recognised as, under the names given."""
    family, found = recognise(PATH, given, Choices(**choices))
    made = built(lambda: family.build(found))
    names = family.renamed(given, found)
    tensors = {names.get(k, k): tuple(t.shape) for k, t in made.state_dict().items()}
    return tensors, dict(found.arguments), found.architecture


@pytest.mark.parametrize(
    ("architecture", "encoder", "arguments"),
    CONFIGURATIONS,
    ids=[f"{a}-{e}-{'-'.join(o)}" for a, e, o in CONFIGURATIONS],
)
def test_reads_back_what_was_built(
    architecture: str, encoder: str, arguments: dict[str, object]
) -> None:
    """Round trip: arguments → network → shapes → arguments."""
    given = shapes(architecture, encoder, **arguments)
    tensors, found, name = rebuilt(given)
    assert (name, found["encoder_name"]) == (architecture, encoder)
    assert tensors == given
    told = {key: found[key] for key in arguments if key not in ("classes", "in_channels")}
    assert told == {key: arguments[key] for key in told}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_computes_what_smp_computes(architecture: str, tmp_path: Path) -> None:
    """Reference oracle: smp's own class, called by name, with the same weights."""
    side = {"DPT": 224, "PAN": 128}.get(architecture, 64)
    oracle = calibrated(architecture, side=side)
    torch.save(oracle.state_dict(), tmp_path / "net.pt")
    # Shapes cannot tell a tiny ViT from its siblings.
    choices = Choices(encoder=VIT if architecture == "DPT" else None)
    recognised = recognise_checkpoint(tmp_path / "net.pt", choices=choices)
    assert recognised.specification.architecture == architecture
    picture = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        logits = load_network(recognised)(picture)
        assert logits.shape == (1, 2, side, side)
        assert torch.equal(logits, oracle(picture))


def test_deeplabv3_of_smp_before_0_4_is_renamed() -> None:
    """It called its decoder's parts by number."""
    names = {
        "decoder.aspp.": "decoder.0.",
        "decoder.conv.": "decoder.1.",
        "decoder.bn.": "decoder.2.",
    }
    given = shapes("DeepLabV3")
    for new, old in names.items():
        given = {key.replace(new, old): shape for key, shape in given.items()}
    tensors, _, name = rebuilt(given)
    assert (name, tensors) == ("DeepLabV3", given)


def test_upernet_of_smp_0_4_is_refused_as_another_network() -> None:
    given = shapes("UPerNet") | {"decoder.fpn_stages.0.skip_conv.0.weight": (24, 256, 1, 1)}
    with pytest.raises(InputError, match=r"UPerNet in smp 0\.4, which smp changed in 0\.5"):
        recognise(PATH, given, Choices())


@pytest.mark.parametrize("readout", ["add", "ignore"])
def test_what_dpt_does_with_the_class_token_is_asked_for(readout: str) -> None:
    given = shapes("DPT", decoder_readout=readout)
    with pytest.raises(InputError, match="whether the decoder adds or ignores the class token"):
        recognise(PATH, given, Choices(encoder=VIT))
    told = Choices(encoder=VIT, stated={"decoder_readout": readout})
    assert recognise(PATH, given, told)[1].arguments["decoder_readout"] == readout


def test_what_the_checkpoint_says_takes_the_place_of_what_is_assumed() -> None:
    stated = {"encoder_output_stride": 16, "decoder_atrous_rates": [6, 12, 18]}
    found = recognise(PATH, shapes("DeepLabV3"), Choices(stated=stated))[1]
    assert found.arguments["decoder_atrous_rates"] == [6, 12, 18]
    assert (found.stride, found.assumed) == (16, {})
    assert recognise(PATH, shapes("DeepLabV3"), Choices())[1].stride == 8


def test_encoders_of_equal_shapes_and_different_layers_are_settled_by_the_user() -> None:
    given = shapes("FPN", "tu-tf_efficientnet_b0")
    with pytest.raises(InputError, match=r"tu-efficientnet_b0, .*tu-tf_efficientnet_b0.* all fit"):
        recognise(PATH, given, Choices())
    chosen = recognise(PATH, given, Choices(encoder="tu-tf_efficientnet_b0"))[1]
    assert chosen.arguments["encoder_name"] == "tu-tf_efficientnet_b0"
    stated = Choices(stated={"encoder_name": "tu-tf_efficientnet_b0"})
    assert recognise(PATH, given, stated)[1] == chosen


def test_an_encoder_that_smp_does_not_offer_there_is_refused() -> None:
    given = shapes("Unet", "resnet18")
    renamed = {k.replace("decoder.blocks.0.", "decoder.blocks.x_0_0."): s for k, s in given.items()}
    with pytest.raises(InputError, match="smp cannot build smp UnetPlusPlus, encoder mit_b0"):
        rebuilt(renamed, encoder="mit_b0")


QUICK = [
    *itertools.product(ARCHITECTURES[:-1], ("resnet18",)),
    ("DPT", VIT),
    ("Unet", "vgg11_bn"),
    ("Unet", "tu-convnext_atto"),
    ("FPN", "tu-regnety_002"),
    ("MAnet", "efficientnet-b0"),
    ("PAN", "mobileone_s0"),
    ("PSPNet", "densenet121"),
]
SLOW = [*itertools.product(ARCHITECTURES[:-1], ("mobilenet_v2",))]


def damaged(given: Shapes, seed: int) -> Shapes:
    """`given` with up to three tensors removed, renamed or reshaped."""
    chance = random.Random(seed)
    state = copy.copy(given)
    real = [key for key in given if not key.endswith(COUNTER)]
    part = chance.choice(("encoder.", "decoder.", "segmentation_head.", ""))
    for key in chance.sample([k for k in real if k.startswith(part)], chance.randint(1, 2)):
        shape = state.pop(key)
        match chance.randrange(4):
            case 0:
                state[key.replace(chance.choice("abcdeo_"), "q", 1) + "q"] = shape
            case 1:
                state[key] = (*shape[:-1], shape[-1] + 1) if shape else (1,)
            case 2:
                state[key] = (*reversed(shape), 1)
            case _:
                pass
    return state


@pytest.mark.parametrize(
    ("architecture", "encoder"),
    [*QUICK, *(pytest.param(*pair, marks=pytest.mark.slow) for pair in SLOW)],
)
def test_damaged_state_dicts_are_never_mistaken(architecture: str, encoder: str) -> None:
    """What still fits a network whole is the one that it was; all else is refused."""
    given = shapes(architecture, encoder)
    right = rebuilt(given, encoder=encoder)
    for seed in range(6):
        state = damaged(given, seed)
        try:
            tensors, found, name = rebuilt(state)
        except InputError:
            continue
        fits = {k for k in tensors if not k.endswith(COUNTER)} <= state.keys() and all(
            state.get(k, s) == s for k, s in tensors.items()
        )
        assert not fits or (name, found) == (right[2], right[1])
    for seed in range(6):
        without = answer(part_damaged(given, seed))
        assert without is None or without.architecture == architecture


@pytest.mark.parametrize("distance", [1, 4])
def test_two_decoders_in_one_state_dict_are_not_taken_for_one(distance: int) -> None:
    """What still fits a network whole is the one whose tensors were put in last."""
    made = {name: shapes(name) for name in ARCHITECTURES[:-1]}
    names = list(made)
    for place, first in enumerate(names):
        both = {**made[names[place - distance]], **made[first]}
        try:
            tensors, _, name = rebuilt(both)
        except InputError:
            continue
        assert tensors != both or name == first


def test_a_meta_network_is_not_needed_to_name_missing_tensors(tmp_path: Path) -> None:
    state = network("FPN").state_dict()
    del state["decoder.p3.skip_conv.bias"]
    torch.save(state, tmp_path / "net.pt")
    accounting = recognise_checkpoint(tmp_path / "net.pt").accounting
    assert accounting.missing == ("decoder.p3.skip_conv.bias",)
