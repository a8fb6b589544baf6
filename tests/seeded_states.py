"""Seeded state dicts of U-Nets, and plain functional code that computes with their tensors."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from models.load import load_network, recognise_checkpoint
from models.specification import Choices, Specification

State = dict[str, Tensor]
NESTED_WIDTHS = (6, 8, 10, 12)


class Made:
    """A seeded state dict under construction, in the order in which layers are added."""

    def __init__(self, seed: int = 3):
        self.generator = torch.Generator().manual_seed(seed)
        self.state: State = {}

    def conv(self, key: str, inputs: int, outputs: int, size: int = 3, bias: bool = True) -> None:
        scale = (inputs * size * size) ** -0.5
        shape = (outputs, inputs, size, size)
        self.state[f"{key}.weight"] = torch.randn(shape, generator=self.generator) * scale * 1.4
        if bias:
            self.state[f"{key}.bias"] = torch.randn(outputs, generator=self.generator) * 0.1

    def transposed(self, key: str, inputs: int, outputs: int) -> None:
        self.conv(key, outputs, inputs, 2)
        self.state[f"{key}.bias"] = torch.randn(outputs, generator=self.generator) * 0.1

    def norm(self, key: str, width: int) -> None:
        rand = lambda: torch.rand(width, generator=self.generator)  # noqa: E731
        self.state |= {
            f"{key}.weight": 0.7 + 0.6 * rand(),
            f"{key}.bias": 0.4 * rand() - 0.2,
            f"{key}.running_mean": 0.4 * rand() - 0.2,
            f"{key}.running_var": 0.5 + rand(),
            f"{key}.num_batches_tracked": torch.tensor(9),
        }


def conv(state: State, key: str, x: Tensor, padding: int = 0) -> Tensor:
    return F.conv2d(x, state[f"{key}.weight"], state.get(f"{key}.bias"), padding=padding)


def norm(state: State, key: str, x: Tensor) -> Tensor:
    names = ("running_mean", "running_var", "weight", "bias")
    return F.batch_norm(x, *(state[f"{key}.{name}"] for name in names), eps=1e-5)


def up(state: State, key: str, x: Tensor) -> Tensor:
    return F.conv_transpose2d(x, state[f"{key}.weight"], state[f"{key}.bias"], stride=2)


def loaded(state: State, folder: Path, **choices: str) -> tuple[nn.Module, Specification]:
    path = folder / "net.pt"
    torch.save(state, path)
    recognised = recognise_checkpoint(path, choices=Choices(**choices))
    return load_network(recognised), recognised.specification


def shapes_of(state: State) -> dict[str, tuple[int, ...]]:
    return {key: tuple(tensor.shape) for key, tensor in state.items()}


def picture(channels: int = 3, side: int = 48) -> Tensor:
    return torch.rand(2, channels, side, side, generator=torch.Generator().manual_seed(1))


def nested_state(heads: int, inputs: int = 3, classes: int = 2) -> State:
    """A nested U-Net++ of three levels, with as many heads."""
    made, depth = Made(), len(NESTED_WIDTHS) - 1
    for i in range(depth + 1):
        for j in range(depth + 1 - i):
            sides = (
                j * NESTED_WIDTHS[i] + NESTED_WIDTHS[i + 1]
                if j
                else NESTED_WIDTHS[i - 1]
                if i
                else inputs
            )
            for n in (1, 2):
                made.conv(f"conv{i}_{j}.conv{n}", sides, NESTED_WIDTHS[i])
                made.norm(f"conv{i}_{j}.bn{n}", NESTED_WIDTHS[i])
                sides = NESTED_WIDTHS[i]
    for name in [f"final{n + 1}" for n in range(heads)] if heads > 1 else ["final"]:
        made.conv(name, NESTED_WIDTHS[0], classes, 1)
    return made.state
