"""Wrapper prefixes, dtypes and unusable tensors: what `normalise` makes of the keys of a file."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from models.checkpoints import Checkpoint, normalise, read_checkpoint
from models.errors import InputError

SMP = [
    "encoder.conv1.weight",
    "encoder.layer1.0.conv1.weight",
    "decoder.blocks.0.conv1.0.weight",
    "segmentation_head.0.weight",
    "segmentation_head.0.bias",
]
TIMM = ["encoder.model.stem.weight", "encoder.model.model.x.weight", *SMP[2:]]
FAMILIES = {
    "smp": SMP,
    "smp with a timm encoder": TIMM,
    "an encoder alone": ["encoder.conv1.weight", "encoder.bn1.weight", "encoder.bn1.bias"],
    "a backbone alone": ["backbone.conv1.weight", "backbone.layer1.0.weight"],
    "torchvision FCN": ["backbone.conv1.weight", "classifier.0.weight"],
    "milesial": ["inc.double_conv.0.weight", "down1.conv.0.weight", "outc.conv.weight"],
    "nested U-Net": ["conv0_0.conv1.weight", "conv1_0.conv1.weight", "final.weight"],
    "attention U-Net": ["Conv1.conv.0.weight", "Up5.up.1.weight", "Att5.W_g.0.weight"],
    "DoubleConv": ["encoder1.enc1conv1.weight", "bottleneck.x.weight", "conv.weight"],
    "ResUNet": ["input_layer.0.weight", "residual_conv_1.conv_block.0.weight"],
    "paths": ["down_path.0.block.0.weight", "up_path.0.up.weight", "last.weight"],
    "numbered sequence": ["features.0.weight", "features.1.weight"],
    "one layer": ["conv.weight", "conv.bias"],
    "one parameter": ["table.cells"],
}


def checkpoint(keys: list[str], unusable: dict[str, str] | None = None) -> Checkpoint:
    tensors = {key: torch.full((1, 1), float(number)) for number, key in enumerate(keys)}
    return Checkpoint(Path("net.pt"), "torch zip", "", 0, "", tensors, unusable=unusable or {})


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "model.",
        "module.",
        "_orig_mod.",
        "net.",
        "module.model.",
        "model.module._orig_mod.net.",
        "segmentor.",
        "backbone_model.",
    ],
)
def test_wrappers_come_off_and_nothing_else(family: str, prefix: str) -> None:
    keys = FAMILIES[family]
    state = normalise(checkpoint([prefix + key for key in keys]))
    assert state.prefix == prefix
    assert list(state.tensors) == keys
    assert state.origin == {key: prefix + key for key in keys}
    assert state.outside == {}


def test_a_wrapper_of_any_name_comes_off() -> None:
    for prefix in ("unet.", "my_lightning_net.", "a.b.c."):
        assert normalise(checkpoint([prefix + key for key in SMP])).prefix == prefix
        family = FAMILIES["milesial"]
        assert normalise(checkpoint([prefix + key for key in family])).prefix == prefix


def test_wrappers_over_a_sequence() -> None:
    bare = ["0.weight", "1.weight", "1.bias"]
    assert list(normalise(checkpoint(bare)).tensors) == bare
    keys = ["module.0.weight", "module.1.weight"]
    assert list(normalise(checkpoint(keys)).tensors) == ["0.weight", "1.weight"]


@given(st.lists(st.sampled_from(["module", "model", "_orig_mod", "net", "lit", "x1"]), max_size=4))
def test_any_nesting_in_front_of_a_timm_encoder(parts: list[str]) -> None:
    prefix = "".join(f"{part}." for part in parts)
    state = normalise(checkpoint([prefix + key for key in TIMM]))
    assert (state.prefix, list(state.tensors)) == (prefix, TIMM)


def test_a_half_prefixed_state_dict_keeps_its_keys() -> None:
    keys = ["model.conv.weight", "model.bn.weight", "head.conv.weight"]
    assert list(normalise(checkpoint(keys)).tensors) == keys


def test_text_inside_a_key_is_no_prefix() -> None:
    keys = ["model_a.x.weight", "model_b.x.weight", "submodule.model.x.weight"]
    assert list(normalise(checkpoint(keys)).tensors) == keys


def test_keys_outside_the_prefix_are_told_with_a_reason() -> None:
    others = {
        "criterion.weight": "belongs to the loss, not to the network",
        "dice_loss.pos_weight": "belongs to the loss, not to the network",
        "val_metrics.IoU.total": "belongs to a metric, not to the network",
        "n_averaged": "counts the steps of weight averaging",
        "mystery": "",
        "other.conv.weight": "",
    }
    state = normalise(checkpoint([*others, *(f"model.{key}" for key in SMP)]))
    assert state.outside == others
    assert list(state.tensors) == SMP


def test_floats_become_float32_and_integers_stay(tmp_path: Path) -> None:
    stored = {
        "encoder.a.weight": torch.tensor([[1.5, -2.0]], dtype=torch.float16),
        "encoder.b.weight": torch.tensor([[1.5, -2.0]], dtype=torch.bfloat16),
        "decoder.c.weight": torch.tensor([[1.5, float("inf")]], dtype=torch.float64),
        "decoder.d.weight": torch.tensor([[1.5, -2.0]]),
        "decoder.e.weight": torch.tensor([[1.5, -2.0]]).to(torch.float8_e4m3fn),
        "decoder.n.num_batches_tracked": torch.tensor(7),
    }
    torch.save(stored, tmp_path / "net.pt")
    state = normalise(read_checkpoint(tmp_path / "net.pt"))
    assert {k: v.dtype for k, v in state.tensors.items()} == {
        **dict.fromkeys(stored, torch.float32),
        "decoder.n.num_batches_tracked": torch.int64,
    }
    assert state.casts == {
        "encoder.a.weight": "float16",
        "encoder.b.weight": "bfloat16",
        "decoder.c.weight": "float64",
        "decoder.e.weight": "float8_e4m3fn",
    }
    assert state.tensors["encoder.b.weight"].tolist() == [[1.5, -2.0]]


def test_a_value_beyond_float32_is_refused() -> None:
    found = checkpoint(SMP)
    found.tensors["encoder.conv1.weight"] = torch.tensor([1e300], dtype=torch.float64)
    with pytest.raises(InputError, match=r"encoder\.conv1\.weight holds a float64 value beyond"):
        normalise(found)


def quantized() -> torch.Tensor:
    return torch.quantize_per_tensor(torch.ones(2, 2), 0.1, 0, torch.qint8)


@pytest.mark.filterwarnings("ignore")  # torch warns that quantized and sparse tensors are in beta
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (quantized, "it is quantized"),
        (lambda: torch.eye(3).to_sparse(), "it is sparse"),
        (lambda: torch.eye(3).to_sparse_csr(), "it is sparse"),
        (lambda: torch.ones(2, 2, dtype=torch.complex64), "it holds complex64 numbers"),
        (lambda: torch.ones(2, 2, device="meta"), "it lies on the meta device"),
    ],
    ids=["quantized", "sparse", "csr", "complex", "meta"],
)
def test_unusable_weights_are_refused_by_name(tmp_path: Path, make: object, reason: str) -> None:
    state = {f"model.{key}": torch.ones(2, 2) for key in SMP}
    torch.save(state | {"model.encoder.conv1.weight": make()}, tmp_path / "net.pt")  # type: ignore[operator]
    found = read_checkpoint(tmp_path / "net.pt")
    with pytest.raises(InputError, match=rf"net\.pt: model\.encoder\.conv1\.weight .*{reason}"):
        normalise(found)


def test_a_safetensors_dtype_that_is_no_real_number_is_refused(tmp_path: Path) -> None:
    save_file(
        {key: torch.ones(2, 2, dtype=torch.complex64) for key in SMP}, tmp_path / "n.safetensors"
    )
    with pytest.raises(InputError, match=r"and 4 more tensors cannot be used: it holds complex64"):
        normalise(read_checkpoint(tmp_path / "n.safetensors"))


def test_an_unusable_tensor_outside_the_network_does_no_harm() -> None:
    found = checkpoint([f"model.{key}" for key in SMP], {"loss.table": "it is sparse"})
    assert normalise(found).outside == {"loss.table": "belongs to the loss, not to the network"}
