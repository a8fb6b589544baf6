"""A user's network in a file, and the checkpoint that their training left."""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from models.custom.option import NamedModule, parse_named

# What the tests' networks share; RETURN stands for the last line of `forward`.
SOURCE = """
import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self, classes=2, width=6):
        super().__init__()
        self.down = nn.Conv2d(3, width, 3, padding=1)
        self.below = nn.Conv2d(width, 2 * width, 3, padding=1)
        self.up = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
        self.head = nn.Conv2d(2 * width, classes, 1)
        self.last = nn.Sigmoid()

    def forward(self, x):
        top = self.down(x).relu()
        gate = torch.sigmoid(top.mean(1, keepdim=True))
        low = self.below(F.max_pool2d(top, 2)).relu()
        y = self.head(torch.cat((top * gate, self.up(low)), 1))
        RETURN
"""


def net_file(folder: Path, returned: str = "return y", name: str = "net.py") -> Path:
    """Write the network whose `forward` ends in the statement `returned`."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SOURCE.replace("RETURN", returned))
    return path


def named(path: Path, model_args: str | None = None, attribute: str = "Net") -> NamedModule:
    found = parse_named(f"{path}:{attribute}", model_args)
    assert found is not None
    return found


def trained(folder: Path, classes: int = 2, width: int = 6, prefix: str = "") -> Path:
    """A seeded checkpoint of that network, `net.pt`, written without running its code."""
    generator = torch.Generator().manual_seed(11)

    def made(*shape: int, scale: float) -> Tensor:
        return torch.randn(shape, generator=generator) * scale

    state = {
        "down.weight": made(width, 3, 3, 3, scale=0.3),
        "down.bias": made(width, scale=0.1),
        "below.weight": made(2 * width, width, 3, 3, scale=0.2),
        "below.bias": made(2 * width, scale=0.1),
        "up.weight": made(2 * width, width, 2, 2, scale=0.3),
        "up.bias": made(width, scale=0.1),
        "head.weight": made(classes, 2 * width, 1, 1, scale=1.0),
        "head.bias": made(classes, scale=0.1),
    }
    torch.save({prefix + key: tensor for key, tensor in state.items()}, folder / "net.pt")
    return folder / "net.pt"


def logits_of(path: Path, image: Tensor, prefix: str = "") -> Tensor:
    """What the network computes with the checkpoint's weights, before any activation."""
    state = {k.removeprefix(prefix): v for k, v in torch.load(path, weights_only=True).items()}

    def weights(name: str) -> tuple[Tensor, Tensor]:
        return state[f"{name}.weight"], state[f"{name}.bias"]

    top = F.conv2d(image, *weights("down"), padding=1).relu()
    low = F.conv2d(F.max_pool2d(top, 2), *weights("below"), padding=1).relu()
    rising = F.conv_transpose2d(low, *weights("up"), stride=2)
    gated = top * top.mean(1, keepdim=True).sigmoid()
    return F.conv2d(torch.cat((gated, rising), 1), *weights("head"))
