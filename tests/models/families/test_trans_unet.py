"""TransUNet: recognised, and computed as published.

The oracle is functional code that takes the state dict's own tensors by their names.
"""

from pathlib import Path

import pytest
import torch
from seeded_states import Made, State, conv, loaded, norm, picture
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

WIDTH, HIDDEN, GRID = 32, 128, 3
UNITS = (1, 2, 1)
WIDTHS = (20, 12, 10, 6)
MORE = 24
SKIPS = (8 * WIDTH, 4 * WIDTH, WIDTH, 0)
RESNET = "transformer.embeddings.hybrid_model"


def affine(made: Made, key: str, width: int) -> None:
    made.norm(key, width)
    for name in ("running_mean", "running_var", "num_batches_tracked"):
        del made.state[f"{key}.{name}"]


def linear(made: Made, key: str, inputs: int, outputs: int) -> None:
    made.conv(key, inputs, outputs, 1)
    made.state[f"{key}.weight"] = made.state[f"{key}.weight"][:, :, 0, 0]


def unit(made: Made, key: str, inputs: int, middle: int, first: bool) -> None:
    sides = ((inputs, middle, 1), (middle, middle, 3), (middle, 4 * middle, 1))
    for n, (below, width, size) in enumerate(sides, 1):
        made.conv(f"{key}.conv{n}", below, width, size, bias=False)
        affine(made, f"{key}.gn{n}", width)
    if first:
        made.conv(f"{key}.downsample", inputs, 4 * middle, 1, bias=False)
        affine(made, f"{key}.gn_proj", 4 * middle)


def resnet(made: Made, inputs: int) -> None:
    made.conv(f"{RESNET}.root.conv", inputs, WIDTH, 7, bias=False)
    affine(made, f"{RESNET}.root.gn", WIDTH)
    below = WIDTH
    for block, length in enumerate(UNITS):
        middle = WIDTH * 2**block
        for n in range(length):
            key = f"{RESNET}.body.block{block + 1}.unit{n + 1}"
            unit(made, key, below, middle, n == 0)
            below = 4 * middle


def transformer(made: Made, grid: int) -> None:
    made.conv("transformer.embeddings.patch_embeddings", 16 * WIDTH, HIDDEN, 1)
    positions = torch.randn(1, grid**2, HIDDEN, generator=made.generator)
    made.state["transformer.embeddings.position_embeddings"] = positions
    for layer in range(2):
        key = f"transformer.encoder.layer.{layer}"
        affine(made, f"{key}.attention_norm", HIDDEN)
        affine(made, f"{key}.ffn_norm", HIDDEN)
        for name in ("query", "key", "value", "out"):
            linear(made, f"{key}.attn.{name}", HIDDEN, HIDDEN)
        linear(made, f"{key}.ffn.fc1", HIDDEN, 40)
        linear(made, f"{key}.ffn.fc2", 40, HIDDEN)
    affine(made, "transformer.encoder.encoder_norm", HIDDEN)


def trans_state(skips: int = 3, inputs: int = 3, classes: int = 2, grid: int = GRID) -> State:
    made = Made()
    resnet(made, inputs)
    transformer(made, grid)
    sides = [("conv_more", HIDDEN, MORE)]
    for level, (below, width) in enumerate(zip((MORE, *WIDTHS), WIDTHS, strict=False)):
        beside = SKIPS[level] if level < skips else 0
        sides.append((f"blocks.{level}.conv1", below + beside, width))
        sides.append((f"blocks.{level}.conv2", width, width))
    for key, below, width in sides:
        made.conv(f"decoder.{key}.0", below, width, bias=False)
        made.norm(f"decoder.{key}.1", width)
    made.conv("segmentation_head.0", WIDTHS[-1], classes)
    return made.state


def group_norm(s: State, key: str, x: Tensor, groups: int = 32, eps: float = 1e-6) -> Tensor:
    n, c, h, w = x.shape
    grouped = x.reshape(n, groups, -1)
    centred = grouped - grouped.mean(-1, keepdim=True)
    scaled = centred / (centred.square().mean(-1, keepdim=True) + eps).sqrt()
    weight, bias = s[f"{key}.weight"], s[f"{key}.bias"]
    return scaled.reshape(n, c, h, w) * weight[:, None, None] + bias[:, None, None]


def std_conv(s: State, key: str, x: Tensor, stride: int = 1) -> Tensor:
    weight = s[f"{key}.weight"]
    flat = weight.flatten(1)
    mean, variance = flat.mean(1), flat.var(1, correction=0)
    weight = (weight - mean[:, None, None, None]) / (variance[:, None, None, None] + 1e-5).sqrt()
    return F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)


def run_unit(s: State, key: str, x: Tensor, stride: int) -> Tensor:
    y = group_norm(s, f"{key}.gn1", std_conv(s, f"{key}.conv1", x)).relu()
    y = group_norm(s, f"{key}.gn2", std_conv(s, f"{key}.conv2", y, stride)).relu()
    y = group_norm(s, f"{key}.gn3", std_conv(s, f"{key}.conv3", y))
    if f"{key}.downsample.weight" in s:
        x = std_conv(s, f"{key}.downsample", x, stride)
        x = group_norm(s, f"{key}.gn_proj", x, groups=x.shape[1], eps=1e-5)
    return (x + y).relu()


def run_resnet(s: State, x: Tensor) -> list[Tensor]:
    side = x.shape[-1]
    x = group_norm(s, f"{RESNET}.root.gn", std_conv(s, f"{RESNET}.root.conv", x, 2)).relu()
    features = [x]
    x = F.max_pool2d(x, kernel_size=3, stride=2)
    for block, length in enumerate(UNITS):
        for n in range(length):
            stride = 2 if block > 0 and n == 0 else 1
            x = run_unit(s, f"{RESNET}.body.block{block + 1}.unit{n + 1}", x, stride)
        wanted = side // 4 // 2**block
        whole = x.new_zeros(*x.shape[:2], wanted, wanted)
        whole[:, :, : x.shape[2], : x.shape[3]] = x
        features.append(whole if block < 2 else x)
    return features


def lin(s: State, key: str, x: Tensor) -> Tensor:
    return F.linear(x, s[f"{key}.weight"], s[f"{key}.bias"])


def layer_norm(s: State, key: str, x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], s[f"{key}.weight"], s[f"{key}.bias"], eps=1e-6)


def run_layer(s: State, key: str, x: Tensor, heads: int) -> Tensor:
    y = layer_norm(s, f"{key}.attention_norm", x)
    query, keys, value = (lin(s, f"{key}.attn.{name}", y) for name in ("query", "key", "value"))
    width = HIDDEN // heads
    mixed = []
    for head in range(heads):
        part = slice(head * width, (head + 1) * width)
        scores = torch.einsum("nqc,nkc->nqk", query[..., part], keys[..., part]) / width**0.5
        mixed.append(scores.softmax(-1) @ value[..., part])
    x = x + lin(s, f"{key}.attn.out", torch.cat(mixed, -1))
    y = F.gelu(lin(s, f"{key}.ffn.fc1", layer_norm(s, f"{key}.ffn_norm", x)))
    return x + lin(s, f"{key}.ffn.fc2", y)


def trans_logits(s: State, x: Tensor, skips: int = 3) -> Tensor:
    *features, x = run_resnet(s, x)
    x = conv(s, "transformer.embeddings.patch_embeddings", x)
    n, _, h, w = x.shape
    x = x.reshape(n, HIDDEN, h * w).mT + s["transformer.embeddings.position_embeddings"]
    for layer in range(2):
        x = run_layer(s, f"transformer.encoder.layer.{layer}", x, heads=HIDDEN // 64)
    x = layer_norm(s, "transformer.encoder.encoder_norm", x).mT.reshape(n, HIDDEN, h, w)
    block = lambda key, y: norm(s, f"{key}.1", conv(s, f"{key}.0", y, 1)).relu()  # noqa: E731
    x = block("decoder.conv_more", x)
    for level in range(4):
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
        if level < skips:
            x = torch.cat((x, features[2 - level]), 1)
        x = block(f"decoder.blocks.{level}.conv2", block(f"decoder.blocks.{level}.conv1", x))
    return conv(s, "segmentation_head.0", x, 1)


@pytest.mark.parametrize(("skips", "inputs", "classes"), [(3, 3, 2), (1, 3, 9), (0, 1, 1)])
def test_trans_unet(skips: int, inputs: int, classes: int, tmp_path: Path) -> None:
    state = trans_state(skips, inputs, classes)
    network, found = loaded(state, tmp_path)
    x = picture(inputs)
    assert torch.allclose(network(x), trans_logits(state, x, skips), atol=2e-4)
    assert (found.title, found.in_channels, found.classes) == ("TransUNet", inputs, classes)
    assert found.fixed_size == (48, 48)
    assert (found.arguments["heads"], "one for 64" in found.assumed["heads"]) == (2, True)
