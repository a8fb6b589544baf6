"""Every key is accounted for, and what does not fit stops the export with the likeliest cause."""

from pathlib import Path

import pytest
import torch

from models.checkpoints import StateDict
from models.errors import InputError
from models.families.smp import unet
from models.key_report import account, require_complete
from models.specification import Specification

SPECIFICATION = Specification("smp", "Unet", 3, 2, 32, {"encoder_name": "resnet18"})
NETWORK = {
    "encoder.conv1.weight": (4, 3),
    "encoder.bn1.num_batches_tracked": (),
    "segmentation_head.0.bias": (2,),
}
PATH = Path("breakage.pt")


def state(shapes: dict[str, tuple[int, ...]], prefix: str = "", **outside: str) -> StateDict:
    tensors = {key: torch.zeros(shape) for key, shape in shapes.items()}
    origin = {key: prefix + key for key in shapes}
    return StateDict(tensors, origin, prefix, {}, outside)


def accounted(given: StateDict):
    return account(given, NETWORK, unet.FAMILY, SPECIFICATION)


def test_a_complete_state_dict_is_loaded() -> None:
    result = accounted(state(NETWORK))
    assert result.complete
    assert result.loaded == ("encoder.conv1.weight", "segmentation_head.0.bias")
    assert "batch norm" in result.ignored["encoder.bn1.num_batches_tracked"]
    require_complete(result, PATH, "smp Unet")


def test_counters_may_be_absent() -> None:
    given = {key: shape for key, shape in NETWORK.items() if shape}
    assert accounted(state(given)).complete


def test_a_prefix_that_came_off_counts_as_renamed() -> None:
    result = accounted(state(NETWORK, prefix="module."))
    assert result.renamed["encoder.conv1.weight"] == "module.encoder.conv1.weight"


def test_keys_are_ignored_with_a_reason() -> None:
    given = {**NETWORK, "encoder.fc.weight": (1000, 512), "classification_head.3.bias": (4,)}
    result = accounted(state(given, **{"loss.weight": "loss buffer"}))
    assert result.complete
    assert "classifier head" in result.ignored["encoder.fc.weight"]
    assert "auxiliary" in result.ignored["classification_head.3.bias"]
    assert result.ignored["loss.weight"] == "loss buffer"


def test_missing_unexpected_and_wrong_shapes_are_listed_in_order() -> None:
    given = {"encoder.conv1.weight": (4, 1), "zebra.weight": (1,), "ape.weight": (1,)}
    result = accounted(state(given))
    assert result.missing == ("segmentation_head.0.bias",)
    assert result.unexpected == ("ape.weight", "zebra.weight")
    assert result.wrong_shape == {"encoder.conv1.weight": ((4, 1), (4, 3))}
    with pytest.raises(InputError) as refusal:
        require_complete(result, PATH, "smp Unet, encoder resnet18")
    text = str(refusal.value)
    assert text.startswith("breakage.pt does not fit smp Unet, encoder resnet18: 1 missing")
    assert "ape.weight, zebra.weight" in text
    assert "4×1 instead of 4×3" in text


def test_a_key_outside_the_network_without_a_reason_is_unexpected() -> None:
    assert accounted(state(NETWORK, **{"teacher.weight": ""})).unexpected == ("teacher.weight",)


def test_the_cause_names_what_the_unexpected_keys_look_like() -> None:
    given = {**NETWORK, "decoder.blocks.x_0_0.conv1.0.weight": (1,)}
    with pytest.raises(InputError, match="the keys of smp UnetPlusPlus"):
        require_complete(accounted(state(given)), PATH, "smp Unet")


def test_parametrised_weights_are_explained() -> None:
    given = {**NETWORK, "encoder.conv1.parametrizations.weight.original0": (1,)}
    with pytest.raises(InputError, match="bake them in"):
        require_complete(accounted(state(given)), PATH, "smp Unet")
