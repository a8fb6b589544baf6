"""Attention U-Net, R2U-Net, nested U-Net++ and ResUNet: recognised, and computed as published.

The oracle is functional code that takes the state dict's own tensors by their names.
"""

from pathlib import Path

import pytest
import torch
from seeded_states import Made, State, conv, loaded, nested_state, norm, picture, shapes_of, up
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from models.errors import InputError
from models.families.recognise import recognise
from models.specification import Choices

WIDTHS = (6, 8, 10, 12)
PATH = Path("net.pt")


def double(made: Made, key: str, inputs: int, outputs: int) -> None:
    for position, width in ((0, inputs), (3, outputs)):
        made.conv(f"{key}.conv.{position}", width, outputs)
        made.norm(f"{key}.conv.{position + 1}", outputs)


def run_double(s: State, key: str, x: Tensor) -> Tensor:
    for n in (0, 3):
        x = norm(s, f"{key}.conv.{n + 1}", conv(s, f"{key}.conv.{n}", x, 1)).relu()
    return x


def recurrent(made: Made, key: str, inputs: int, outputs: int) -> None:
    for layer in (0, 1):
        made.conv(f"{key}.RCNN.{layer}.conv.0", outputs, outputs)
        made.norm(f"{key}.RCNN.{layer}.conv.1", outputs)
    made.conv(f"{key}.Conv_1x1", inputs, outputs, 1)


def run_recurrent(s: State, key: str, x: Tensor) -> Tensor:
    x = residual = conv(s, f"{key}.Conv_1x1", x)
    for layer in (0, 1):
        name = f"{key}.RCNN.{layer}.conv"
        step = lambda y, name=name: norm(s, f"{name}.1", conv(s, f"{name}.0", y, 1)).relu()  # noqa: E731
        given = step(x)
        given = step(x + given)
        x = step(x + given)
    return residual + x


def lee_state(block: str, up_block: str, gates: bool, inputs: int = 3, classes: int = 2) -> State:
    made, depth = Made(), len(WIDTHS)
    fill = recurrent if "RRCNN" in block else double
    for level in range(depth):
        fill(made, f"{block}{level + 1}", WIDTHS[level - 1] if level else inputs, WIDTHS[level])
    for level in range(depth, 1, -1):
        width, below = WIDTHS[level - 2], WIDTHS[level - 1]
        made.conv(f"Up{level}.up.1", below, width)
        made.norm(f"Up{level}.up.2", width)
        if gates:
            for part, sides in (("W_g", (width, 5)), ("W_x", (width, 5)), ("psi", (5, 1))):
                made.conv(f"Att{level}.{part}.0", *sides, 1)
                made.norm(f"Att{level}.{part}.1", sides[1])
        fill(made, f"{up_block}{level}", 2 * width, width)
    made.conv("Conv_1x1", WIDTHS[0], classes, 1)
    return made.state


def lee_logits(s: State, block: str, up_block: str, gates: bool, x: Tensor) -> Tensor:
    run = run_recurrent if "RRCNN" in block else run_double
    skips: list[Tensor] = []
    for level in range(1, len(WIDTHS) + 1):
        x = run(s, f"{block}{level}", F.max_pool2d(x, 2) if skips else x)
        skips.append(x)
    for level in range(len(WIDTHS), 1, -1):
        skip, key = skips[level - 2], f"Up{level}.up"
        x = F.interpolate(x, scale_factor=2)
        x = norm(s, f"{key}.2", conv(s, f"{key}.1", x, 1)).relu()
        if gates:
            part = lambda p, y, level=level: norm(  # noqa: E731
                s, f"Att{level}.{p}.1", conv(s, f"Att{level}.{p}.0", y)
            )
            skip = skip * part("psi", (part("W_g", x) + part("W_x", skip)).relu()).sigmoid()
        x = run(s, f"{up_block}{level}", torch.cat((skip, x), 1))
    return conv(s, "Conv_1x1", x)


LEE = {
    "Attention U-Net": ("Conv", "Up_conv", True),
    "R2 U-Net": ("RRCNN", "Up_RRCNN", False),
    "R2Attention U-Net": ("RRCNN", "Up_RRCNN", True),
}


@pytest.mark.parametrize("title", LEE)
@pytest.mark.parametrize(("inputs", "classes"), [(3, 2), (1, 1)])
def test_attention_and_recurrence(title: str, inputs: int, classes: int, tmp_path: Path) -> None:
    state = lee_state(*LEE[title], inputs, classes)
    network, found = loaded(state, tmp_path)
    x = picture(inputs)
    assert torch.allclose(network(x), lee_logits(state, *LEE[title], x), atol=1e-4)
    assert (found.title, found.in_channels, found.classes) == (title, inputs, classes)
    assert found.arguments["widths"] == WIDTHS


def nested_logits(s: State, x: Tensor, branches: list[tuple[int, str]]) -> Tensor:
    depth, nodes = len(WIDTHS) - 1, {}
    for j in range(depth + 1):
        for i in range(depth + 1 - j):
            y = x if i == 0 else F.max_pool2d(nodes[i - 1, 0], 2) if j == 0 else x
            if j:
                risen = F.interpolate(
                    nodes[i + 1, j - 1], scale_factor=2, mode="bilinear", align_corners=True
                )
                y = torch.cat([*(nodes[i, n] for n in range(j)), risen], 1)
            for n in (1, 2):
                key = f"conv{i}_{j}"
                y = norm(s, f"{key}.bn{n}", conv(s, f"{key}.conv{n}", y, 1)).relu()
            nodes[i, j] = y
    logits = [conv(s, head, nodes[0, j]) for j, head in branches]
    return sum(logits[1:], logits[0]) / len(logits)


ALL = [(j, f"final{j}") for j in (1, 2, 3)]


@pytest.mark.parametrize(
    ("heads", "branch", "branches"),
    [
        (1, None, [(3, "final")]),
        (3, None, ALL[2:]),
        (3, "1", ALL[:1]),
        (3, "2", ALL[1:2]),
        (3, "mean", ALL),
    ],
)
def test_nested(
    heads: int, branch: str | None, branches: list[tuple[int, str]], tmp_path: Path
) -> None:
    state = nested_state(heads)
    network, found = loaded(state, tmp_path, **({"branch": branch} if branch else {}))
    expected = nested_logits(state, picture(), branches)
    assert torch.allclose(network(picture()), expected, atol=1e-4)
    assert found.title == "nested U-Net++"
    assert ("branch" in found.assumed) == (heads > 1 and branch is None)


def test_a_branch_that_is_not_there() -> None:
    with pytest.raises(InputError, match=r"BRANCH=9 is not there: choose from 1, 2, 3, mean"):
        recognise(PATH, shapes_of(nested_state(3)), Choices(branch="9"))
    with pytest.raises(InputError, match="without deep supervision"):
        recognise(PATH, shapes_of(nested_state(1)), Choices(branch="1"))


def residual(made: Made, key: str, inputs: int, outputs: int) -> None:
    made.norm(f"{key}.conv_block.0", inputs)
    made.conv(f"{key}.conv_block.2", inputs, outputs)
    made.norm(f"{key}.conv_block.3", outputs)
    made.conv(f"{key}.conv_block.5", outputs, outputs)
    made.conv(f"{key}.conv_skip.0", inputs, outputs)
    made.norm(f"{key}.conv_skip.1", outputs)


def run_residual(s: State, key: str, x: Tensor, stride: int = 1) -> Tensor:
    def strided(name: str, y: Tensor) -> Tensor:
        weight, bias = s[f"{key}.{name}.weight"], s[f"{key}.{name}.bias"]
        return F.conv2d(y, weight, bias, stride=stride, padding=1)

    y = strided("conv_block.2", norm(s, f"{key}.conv_block.0", x).relu())
    y = conv(s, f"{key}.conv_block.5", norm(s, f"{key}.conv_block.3", y).relu(), 1)
    return y + norm(s, f"{key}.conv_skip.1", strided("conv_skip.0", x))


def res_state(inputs: int = 3, classes: int = 2) -> State:
    made, (a, b, c, d) = Made(), WIDTHS
    made.conv("input_layer.0", inputs, a)
    made.norm("input_layer.1", a)
    made.conv("input_layer.3", a, a)
    made.conv("input_skip.0", inputs, a)
    for key, below, width in (
        ("residual_conv_1", a, b),
        ("residual_conv_2", b, c),
        ("bridge", c, d),
    ):
        residual(made, key, below, width)
    for n, (below, skip) in enumerate(((d, c), (c, b), (b, a)), 1):
        made.transposed(f"upsample_{n}.upsample", below, below)
        residual(made, f"up_residual_conv{n}", below + skip, skip)
    made.conv("output_layer.0", a, classes, 1)
    return made.state


def res_logits(s: State, x: Tensor) -> Tensor:
    y = conv(s, "input_layer.3", norm(s, "input_layer.1", conv(s, "input_layer.0", x, 1)).relu(), 1)
    skips = [y + conv(s, "input_skip.0", x, 1)]
    for key in ("residual_conv_1", "residual_conv_2", "bridge"):
        skips.append(run_residual(s, key, skips[-1], 2))
    y = skips.pop()
    for n in (1, 2, 3):
        y = torch.cat((up(s, f"upsample_{n}.upsample", y), skips.pop()), 1)
        y = run_residual(s, f"up_residual_conv{n}", y)
    return conv(s, "output_layer.0", y)


@pytest.mark.parametrize(("inputs", "classes"), [(3, 2), (4, 1)])
def test_residual(inputs: int, classes: int, tmp_path: Path) -> None:
    state = res_state(inputs, classes)
    network, found = loaded(state, tmp_path)
    x = picture(inputs)
    assert torch.allclose(network(x), res_logits(state, x), atol=1e-4)
    assert (found.title, found.activation, found.stride) == ("ResUNet", "sigmoid", 8)
