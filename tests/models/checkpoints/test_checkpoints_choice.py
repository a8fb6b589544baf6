"""Which entry of a training script's file is the network, and when the user must say."""

import argparse
import enum
import sys
import types
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from models.checkpoints import Checkpoint, normalise, read_checkpoint
from models.errors import InputError

State = dict[str, torch.Tensor]


def network(value: float = 0.0, **prefixed: float) -> State:
    """A small state dict; every weight holds `value`, so that it tells where it came from."""
    layers = (
        "encoder.conv1",
        "encoder.conv2",
        "decoder.conv1",
        "decoder.conv2",
        "head.0",
        "head.1",
    )
    state = {f"{name}.weight": torch.full((2, 3, 1, 1), value) for name in layers}
    return state | {f"{name}.bias": torch.full((2,), value) for name in layers}


def with_prefix(prefix: str, state: State) -> State:
    return {prefix + name: tensor for name, tensor in state.items()}


def read(folder: Path, content: object, weights: str | None = None) -> Checkpoint:
    torch.save(content, folder / "net.pt")
    return read_checkpoint(folder / "net.pt", weights=weights)


def value_of(checkpoint: Checkpoint) -> float:
    values = {float(tensor.flatten()[0]) for tensor in normalise(checkpoint).tensors.values()}
    assert len(values) == 1, values
    return values.pop()


@pytest.mark.parametrize(
    "entry",
    "state_dict model_state_dict model_state model net network weights params module "
    "net_state_dict generator my_unet best_metric_model".split(),
)
def test_the_names_that_scripts_use(tmp_path: Path, entry: str) -> None:
    optimizer = torch.optim.Adam([nn.Parameter(torch.ones(3))])
    optimizer.param_groups[0]["params"][0].grad = torch.ones(3)
    optimizer.step()
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    content = {
        "epoch": 12,
        "best_iou": np.float64(0.75),
        "loss": torch.tensor(0.25),
        entry: network(),
        "optimizer": optimizer.state_dict(),
        "opt_g": optimizer.state_dict(),
        "lr_scheduler": schedule.state_dict(),
        "scaler": {"scale": 65536.0, "_growth_tracker": 3},
        "rng_state": torch.get_rng_state(),
        "criterion": {"weight": torch.ones(2, 2)},
    }
    checkpoint = read(tmp_path, content)
    assert checkpoint.entry == entry
    assert checkpoint.tensors.keys() == network().keys()
    assert checkpoint.config == {"epoch": 12, "best_iou": 0.75}
    assert checkpoint.ignored == {
        "loss": "a tensor beside the weights",
        "optimizer": "optimizer state",
        "opt_g": "optimizer state",
        "lr_scheduler": "learning rate schedule",
        "scaler": "gradient scaler state",
        "rng_state": "a tensor beside the weights",
        "criterion": "loss function state",
    }


@pytest.mark.parametrize("path", ["checkpoint/model", "state/net/state_dict", "0", "1/model"])
def test_nested_entries(tmp_path: Path, path: str) -> None:
    content: object = network()
    for name in reversed(path.split("/")):
        content = (None, content)[1 - int(name) :] if name.isdigit() else {name: content}
    if path.startswith("0"):
        content = (network(), {"epoch": 1})
    checkpoint = read(tmp_path, content)
    assert checkpoint.entry == path
    assert checkpoint.tensors.keys() == network().keys()


EMA_NAMES = "ema state_dict_ema model_ema ema_state_dict params_ema model_ema_state_dict".split()


@pytest.mark.parametrize("name", [*EMA_NAMES, "ema/shadow", "swa_model", "averaged"])
def test_raw_weights_win_unless_the_average_is_asked_for(tmp_path: Path, name: str) -> None:
    first, _, second = name.partition("/")
    average: object = {"decay": 0.99, second: network(2)} if second else network(2)
    content = {"model": network(1), first: average}
    raw = read(tmp_path, content)
    assert value_of(raw) == 1
    assert raw.ignored[name] == "EMA copy, not asked for"
    assert raw.notes == ("The file also has averaged (EMA) weights: WEIGHTS=ema takes them.",)
    for weights in ("ema", name):
        averaged = read(tmp_path, content, weights)
        assert value_of(averaged) == 2
        assert averaged.entry == name
    alone = read(tmp_path, {first: average})
    assert value_of(alone) == 2
    assert alone.notes == ("The averaged (EMA) weights were taken because the file has no others.",)


@pytest.mark.parametrize("prefix", ["ema_model.", "model_ema.", "ema.module.", "swa_model."])
def test_an_average_inside_the_state_dict(tmp_path: Path, prefix: str) -> None:
    state = with_prefix("model.", network(1)) | with_prefix(prefix, network(2))
    content = {"state_dict": state, "pytorch-lightning_version": "2.1.0"}
    raw = read(tmp_path, content)
    assert value_of(raw) == 1
    assert list(raw.ignored) == [f"state_dict/{prefix.partition('.')[0]}"]
    averaged = read(tmp_path, content, "ema")
    assert value_of(averaged) == 2
    assert normalise(averaged).prefix == prefix


@pytest.mark.parametrize("outer", ["", "model."])
def test_an_averaged_model_alone(tmp_path: Path, outer: str) -> None:
    averaged = AveragedModel(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 1)))
    checkpoint = read(tmp_path, with_prefix(outer, averaged.state_dict()))
    assert "no others" in checkpoint.notes[0]
    state = normalise(checkpoint)
    assert state.prefix == f"{outer}module."
    assert state.outside == {f"{outer}n_averaged": "counts the steps of weight averaging"}
    assert "0.weight" in state.tensors


@pytest.mark.parametrize(
    ("first", "second"),
    [("student", "teacher"), ("generator", "discriminator"), ("net_a", "net_b"), ("netG", "netD")],
)
def test_two_networks_are_never_chosen_between(tmp_path: Path, first: str, second: str) -> None:
    entries = {first: network(1), second: network(2)}
    with pytest.raises(InputError, match=f"several networks: '{first}', '{second}'") as caught:
        read(tmp_path, entries)
    assert "WEIGHTS=" in str(caught.value)
    assert value_of(read(tmp_path, entries, second)) == 2
    with pytest.raises(InputError, match=f"has no entry 'x': WEIGHTS= can name '{first}'"):
        read(tmp_path, entries, "x")


@pytest.mark.parametrize("outer", ["", "trainer."])
@pytest.mark.parametrize(
    ("first", "second"), [("student", "teacher"), ("model", "teacher"), ("nets.0", "nets.1")]
)
def test_two_networks_in_one_state_dict(
    tmp_path: Path, outer: str, first: str, second: str
) -> None:
    state = with_prefix(f"{outer}{first}.", network(1)) | with_prefix(
        f"{outer}{second}.", network(2)
    )
    content = {"state_dict": state | {"loss_fn.weight": torch.ones(2)}}
    names = f"'state_dict/{outer}{first}', 'state_dict/{outer}{second}'"
    with pytest.raises(InputError, match=names):
        read(tmp_path, content)
    chosen = read(tmp_path, content, f"state_dict/{outer}{second}")
    assert value_of(chosen) == 2
    assert normalise(chosen).prefix == f"{outer}{second}."
    assert chosen.ignored == {f"state_dict/{outer}{first}": "another network, not asked for"}


def test_parts_that_look_alike_are_one_network(tmp_path: Path) -> None:
    twins = with_prefix("encoder_a.", network(1)) | with_prefix("encoder_b.", network(1))
    state = {
        key.replace("encoder.", "stage1.").replace("decoder.", "stage2."): tensor
        for key, tensor in twins.items()
    } | {"fuse.weight": torch.ones(2, 4, 1, 1)}
    assert read(tmp_path, state).tensors.keys() == state.keys()


def test_an_attention_block_called_ema_is_no_average(tmp_path: Path) -> None:
    state = network() | {
        "ema.conv1x1.weight": torch.ones(2, 2, 1, 1),
        "ema.gn.weight": torch.ones(2),
    }
    assert read(tmp_path, state).tensors.keys() == state.keys()


def test_the_same_weights_under_two_names_are_one(tmp_path: Path) -> None:
    state = network(1)
    checkpoint = read(tmp_path, {"model": state, "state_dict": state, "best": dict(state)})
    assert checkpoint.entry == "model"
    assert checkpoint.ignored["state_dict"] == "the same object as model"


def test_a_list_of_averages_without_names(tmp_path: Path) -> None:
    shadow = list(network(2).values())
    checkpoint = read(tmp_path, {"model": network(1), "ema": {"shadow_params": shadow}})
    assert value_of(checkpoint) == 1
    assert checkpoint.ignored["ema/shadow_params"] == "a list of weights without names"


class Colour(enum.Enum):
    RED = "red"


def test_facts_beside_the_weights_become_plain(tmp_path: Path) -> None:
    facts = {
        "labels": ("background", "breakage"),
        "args": argparse.Namespace(lr=1e-3, sizes=[256, 256], out=Path("runs/a")),
        "numbers": {1: np.float32(0.5), "n": np.int64(7)},
        "dtype": torch.float32,
        "device": torch.device("cuda", 0),
        "colour": Colour.RED,
        "when": OrderedDict(start=None, ok=True),
        "mixed": {"keep": 1, "drop": torch.ones(1)},
        "big": 1 << 100,
    }
    checkpoint = read(tmp_path, {"model": network(), **facts})
    assert checkpoint.config == {
        "labels": ["background", "breakage"],
        "args": {"lr": 1e-3, "sizes": [256, 256], "out": "runs/a"},
        "numbers": {"1": 0.5, "n": 7},
        "dtype": "torch.float32",
        "device": "cuda:0",
        "colour": "red",
        "when": {"start": None, "ok": True},
        "keep": 1,
    }
    assert checkpoint.ignored["big"] == "no weights in it"


@pytest.fixture
def lightning() -> Iterator[types.ModuleType]:
    """Stand-ins for the classes that pytorch_lightning and omegaconf put into a file."""
    module = types.ModuleType("lightning_stand_in")
    for name, base in {"AttributeDict": dict, "ModelCheckpoint": object, "Config": object}.items():
        setattr(module, name, type(name, (base,), {"__module__": module.__name__}))
    sys.modules[module.__name__] = module
    yield module
    sys.modules.pop(module.__name__, None)


def test_a_lightning_checkpoint(tmp_path: Path, lightning: types.ModuleType) -> None:
    callback = lightning.ModelCheckpoint()
    callback.best_model_score = torch.tensor(0.9)
    state = with_prefix("model.", network(1)) | {
        "loss_fn.weight": torch.ones(2),
        "train_iou.confmat": torch.zeros(2, 2),
        "mean": torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1),
        "std": torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1),
    }
    content = {
        "epoch": 7,
        "global_step": 700,
        "pytorch-lightning_version": "2.1.0",
        "state_dict": OrderedDict(state),
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 8}}}},
        "callbacks": {"ModelCheckpoint": {"best": torch.tensor(0.9), "callback": callback}},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(2, 3)}}, "param_groups": []}],
        "lr_schedulers": [{"last_epoch": 7}],
        "hparams_name": "kwargs",
        "hyper_parameters": lightning.AttributeDict(arch="Unet", classes=2, labels=["a", "b"]),
    }
    torch.save(content, tmp_path / "net.ckpt")
    del sys.modules[lightning.__name__]
    checkpoint = read_checkpoint(tmp_path / "net.ckpt")
    assert checkpoint.entry == "state_dict"
    assert checkpoint.config["hyper_parameters"] == {
        "arch": "Unet",
        "classes": 2,
        "labels": ["a", "b"],
    }
    assert checkpoint.config["mean"] == pytest.approx([0.485, 0.456, 0.406])
    assert "MEAN=" in checkpoint.notes[0]
    assert checkpoint.ignored["optimizer_states"] == "optimizer state"
    assert checkpoint.ignored["callbacks"] == "callback state"
    state_dict = normalise(checkpoint)
    assert state_dict.prefix == "model."
    assert state_dict.tensors.keys() == network().keys()
    assert state_dict.outside == {
        "loss_fn.weight": "belongs to the loss, not to the network",
        "train_iou.confmat": "belongs to a metric, not to the network",
        "mean": "input normalisation of the training module: see MEAN=",
        "std": "input normalisation of the training module: see STD=",
    }


def test_modules_pickled_beside_each_other(tmp_path: Path) -> None:
    def made(value: float) -> nn.Module:
        module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 1))
        for parameter in module.parameters():
            nn.init.constant_(parameter, value)
        return module

    content = {"model": made(1), "ema": made(2), "epoch": 3}
    checkpoint = read(tmp_path, content)
    assert value_of(checkpoint) == 1
    assert checkpoint.entry == (
        "model (module pickled whole: torch.nn.modules.container.Sequential)"
    )
    assert value_of(read(tmp_path, content, "ema")) == 2


@pytest.mark.parametrize(
    "content",
    [
        {"epoch": 3},
        {"optimizer": {"state": {0: {"exp_avg": torch.ones(2, 2)}}, "param_groups": []}},
        {"metrics": {"iou": torch.tensor(0.5)}},
        [1, 2],
        torch.ones(3, 3),
        nn.ReLU(),
    ],
    ids=["facts", "optimizer", "metrics", "list", "tensor", "layer"],
)
def test_a_file_without_a_network(tmp_path: Path, content: object) -> None:
    with pytest.raises(InputError, match="holds no network weights"):
        read(tmp_path, content)
