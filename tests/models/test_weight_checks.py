"""Weights that are not finite, impossible or never trained are pointed out."""

from pathlib import Path

import pytest
import torch
from torch import nn

from models.errors import InputError
from models.weight_checks import examine, require_sound


def trained() -> dict[str, torch.Tensor]:
    """A small state dict as training leaves it: nothing equals its initialisation."""
    generator = torch.Generator().manual_seed(3)
    state = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).state_dict()
    state = {k: torch.rand(v.shape, generator=generator) + 0.1 for k, v in state.items()}
    return {**state, "segmentation_head.0.weight": torch.ones(2, 4, 3, 3)}


def test_trained_weights_are_sound() -> None:
    assert examine(trained()) == ()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_not_finite_stop_the_export(value: float) -> None:
    state = trained()
    state["0.weight"][1, 2, 0, 0] = value
    findings = examine(state)
    assert findings[0].fatal
    assert findings[0].keys == ("0.weight",)
    with pytest.raises(InputError, match=r"x\.pt cannot be exported: 1 tensor has NaN"):
        require_sound(findings, Path("x.pt"))


def test_large_but_finite_values_are_no_finding() -> None:
    """Their sum overflows, which must not be mistaken for an infinity among them."""
    state = trained()
    state["0.weight"] = torch.full((4, 3, 3, 3), 3e38)
    assert examine(state) == ()


def test_a_negative_variance_is_fatal_and_a_zero_one_is_told() -> None:
    state = trained()
    state["1.running_var"][0] = 0
    (finding,) = examine(state)
    assert not finding.fatal
    assert "zero variance" in finding.sentence
    state["1.running_var"][1] = -1e-3
    assert "negative variance" in examine(state)[0].sentence
    assert examine(state)[0].fatal


def test_a_fresh_batch_norm_is_told_but_not_fatal() -> None:
    state = {**trained(), **{f"2.{k}": v for k, v in nn.BatchNorm2d(4).state_dict().items()}}
    (finding,) = examine(state)
    assert not finding.fatal
    assert finding.keys == ("2",)
    assert finding.sentence.startswith("1 of 2 batch norms equal a fresh initialisation (2)")
    require_sound((finding,), Path("x.pt"))


def test_a_fresh_head_is_told() -> None:
    state = trained()
    state["segmentation_head.0.weight"] = torch.full((2, 4, 3, 3), 0.01)
    state["segmentation_head.0.bias"] = torch.zeros(2)
    (finding,) = examine(state)
    assert "segmentation head" in finding.sentence
