"""Run the encoder of TransUNet: a ResNet of standardised convolutions and a transformer on it.

    [h, w] ─ root [h/2] ─ pool ─ block1 [h/4] ─ block2 [h/8] ─ block3 [h/16] ─ patches ─ transformer

The ResNet is BiT's (Kolesnikov et al. 2020, arXiv:1912.11370), the transformer ViT's (Dosovitskiy
et al. 2021, arXiv:2010.11929). A standardised convolution takes mean and variance out of every
filter before it is used. A network that is not trained any more can do that once: the filters
are standardised as they are loaded, and the layer is an ordinary convolution.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

STANDARD_EPS = 1e-5
NORM_EPS = 1e-6
GROUPS = 32


@dataclass(frozen=True)
class EncoderPlan:
    """Hold the widths and lengths of an encoder, with `grid` tokens on each side of a picture."""

    inputs: int
    width: int
    units: tuple[int, ...]
    hidden: int
    heads: int
    mlp: int
    layers: int
    grid: int

    @property
    def side(self) -> int:
        """Return height and width of the one picture size that the position embeddings fit."""
        return 16 * self.grid


class StandardisedConv2d(nn.Conv2d):
    """Convolve with filters that get mean 0 and variance 1 when they are loaded."""

    def __init__(self, inputs: int, outputs: int, size: int, stride: int = 1):
        super().__init__(inputs, outputs, size, stride, padding=size // 2, bias=False)
        self.register_load_state_dict_pre_hook(_standardise)  # type: ignore[no-untyped-call]


def _standardise(_layer: nn.Module, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
    weight = state.get(f"{prefix}weight")
    if weight is not None:
        variance, mean = torch.var_mean(weight, dim=(1, 2, 3), keepdim=True, unbiased=False)
        state[f"{prefix}weight"] = (weight - mean) / torch.sqrt(variance + STANDARD_EPS)


class Bottleneck(nn.Module):
    """Add a 1×1, a 3×3 (with the stride) and a 1×1 convolution to the input or its projection."""

    def __init__(self, inputs: int, middle: int, stride: int, projected: bool):
        super().__init__()
        outputs = 4 * middle
        self.conv1 = StandardisedConv2d(inputs, middle, 1)
        self.gn1 = nn.GroupNorm(GROUPS, middle, eps=NORM_EPS)
        self.conv2 = StandardisedConv2d(middle, middle, 3, stride)
        self.gn2 = nn.GroupNorm(GROUPS, middle, eps=NORM_EPS)
        self.conv3 = StandardisedConv2d(middle, outputs, 1)
        self.gn3 = nn.GroupNorm(GROUPS, outputs, eps=NORM_EPS)
        self.projected = projected
        if projected:
            self.downsample = StandardisedConv2d(inputs, outputs, 1, stride)
            self.gn_proj = nn.GroupNorm(outputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return `(N, 4 · middle, H / stride, W / stride)`."""
        y = self.gn1(self.conv1(x)).relu()
        y = self.gn2(self.conv2(y)).relu()
        y = self.gn3(self.conv3(y))
        if self.projected:
            x = self.gn_proj(self.downsample(x))
        return F.relu(x + y)


class ResNet(nn.Module):
    """Turn `(N, C, S, S)` into features at 1/16 and, deepest first, those at 1/8, 1/4 and 1/2.

    S is a multiple of 16.
    """

    def __init__(self, plan: EncoderPlan):
        super().__init__()
        width = plan.width
        self.root = nn.Sequential(
            OrderedDict(
                conv=StandardisedConv2d(plan.inputs, width, 7, 2),
                gn=nn.GroupNorm(GROUPS, width, eps=NORM_EPS),
                relu=nn.ReLU(),
            )
        )
        self.body = nn.Sequential()
        inputs = width
        for level, length in enumerate(plan.units):
            middle, block = width << level, nn.Sequential()
            for unit in range(length):
                stride = 2 if level and not unit else 1
                block.add_module(f"unit{unit + 1}", Bottleneck(inputs, middle, stride, not unit))
                inputs = 4 * middle
            self.body.add_module(f"block{level + 1}", block)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the deepest features and the skips."""
        x = self.root(x)
        skips = [x]
        x = F.max_pool2d(x, 3, 2)
        for level, block in enumerate(self.body):
            x = block(x)
            # Unpadded pooling drops a row and a column, so the skip at 1/4 is padded.
            skips.append(x if level else F.pad(x, (0, 1, 0, 1)))
        return x, skips[-2::-1]


class SelfAttention(nn.Module):
    """Attend over all tokens, with several heads."""

    def __init__(self, hidden: int, heads: int):
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(hidden, hidden) for _ in range(4))
        self.split = (heads, hidden // heads)

    def forward(self, x: Tensor) -> Tensor:
        """Return `(N, tokens, hidden)`."""
        query, key, value = (
            layer(x).unflatten(-1, self.split).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        scores = query @ key.transpose(-1, -2) / self.split[1] ** 0.5
        mixed = scores.softmax(-1) @ value
        return self.out(mixed.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class Mlp(nn.Module):
    """Run two linear layers with a GELU between them."""

    def __init__(self, hidden: int, middle: int):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(hidden, middle), nn.Linear(middle, hidden)

    def forward(self, x: Tensor) -> Tensor:
        """Return `(N, tokens, hidden)`."""
        return self.fc2(F.gelu(self.fc1(x)))  # type: ignore[no-any-return]


class TransformerLayer(nn.Module):
    """Add attention and a perceptron to their inputs, each normed before."""

    def __init__(self, plan: EncoderPlan):
        super().__init__()
        self.attention_norm = nn.LayerNorm(plan.hidden, eps=NORM_EPS)
        self.ffn_norm = nn.LayerNorm(plan.hidden, eps=NORM_EPS)
        self.ffn = Mlp(plan.hidden, plan.mlp)
        self.attn = SelfAttention(plan.hidden, plan.heads)

    def forward(self, x: Tensor) -> Tensor:
        """Return `(N, tokens, hidden)`."""
        x = x + self.attn(self.attention_norm(x))
        return x + self.ffn(self.ffn_norm(x))  # type: ignore[no-any-return]


class HybridEncoder(nn.Module):
    """Turn `(N, C, S, S)` into `(N, hidden, grid, grid)` and the ResNet's skips."""

    def __init__(self, plan: EncoderPlan):
        super().__init__()
        self.grid = plan.grid
        self.embeddings = nn.Module()
        self.embeddings.hybrid_model = ResNet(plan)
        deepest = 4 * (plan.width << (len(plan.units) - 1))
        self.embeddings.patch_embeddings = nn.Conv2d(deepest, plan.hidden, 1)
        positions = torch.zeros(1, plan.grid**2, plan.hidden)
        self.embeddings.position_embeddings = nn.Parameter(positions)
        self.encoder = nn.Module()
        self.encoder.layer = nn.ModuleList(TransformerLayer(plan) for _ in range(plan.layers))
        self.encoder.encoder_norm = nn.LayerNorm(plan.hidden, eps=NORM_EPS)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the transformer's tokens as a picture, and the skips."""
        embed: Any = self.embeddings
        encode: Any = self.encoder
        x, skips = embed.hybrid_model(x)
        x = embed.patch_embeddings(x).flatten(2).transpose(1, 2) + embed.position_embeddings
        for layer in encode.layer:
            x = layer(x)
        x = encode.encoder_norm(x).transpose(1, 2)
        return x.unflatten(2, (self.grid, self.grid)), skips
