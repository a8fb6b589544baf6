"""U-Nets written by hand: each spelling is recognised, and computes what its layers say.

The oracle is functional code that takes the state dict's own tensors by their names.
"""

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from seeded_states import Made, State, conv, loaded, norm, picture, shapes_of, up
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from export.settings import require_size_fits
from models.errors import InputError
from models.families.recognise import recognise
from models.families.unet.units import add_layer
from models.load import load_network, recognise_checkpoint
from models.specification import Choices

PATH = Path("net.pt")
WIDTHS = (6, 8, 10, 12)


# How a spelling names its layers: (convolution, norm or None) pairs of a block, and the rest.
Pairs = list[tuple[str, str | None]]
Names = Callable[[int], Pairs]


def sequence(prefix: str, *numbers: int | None) -> Pairs:
    it = iter(numbers)
    return [
        (f"{prefix}.{c}", None if n is None else f"{prefix}.{n}")
        for c, n in zip(it, it, strict=True)
    ]


class Style:
    """One spelling: names of the blocks of level `i`, of the ups, and what its forward does."""

    def __init__(  # noqa: PLR0917
        self,
        encoder: Names,
        decoder: Names,
        ups: Callable[[int], str],
        head: str,
        skip_first: bool = False,
        relu_before_norm: bool = False,
        bias: bool = True,
    ):
        self.encoder, self.decoder, self.ups, self.head = encoder, decoder, ups, head
        self.skip_first, self.relu_before_norm, self.bias = skip_first, relu_before_norm, bias

    def state(self, inputs: int = 3, classes: int = 2, up: str = "transposed") -> State:
        made, depth = Made(), len(WIDTHS) - 1
        below = inputs
        for level, width in enumerate(WIDTHS):
            self._block(made, self.encoder(level), below, width)
            below = width
        for level in reversed(range(depth)):
            width = WIDTHS[level]
            key = self.ups(level)
            if up == "transposed":
                made.transposed(key, below, width)
            elif up == "pointwise":
                made.conv(f"{key}.1", below, width, 1)
            elif up == "block":
                made.conv(f"{key}.up.1", below, width)
                made.norm(f"{key}.up.2", width)
            risen = below if up == "none" else width
            self._block(made, self.decoder(level), risen + width, width)
            below = width
        made.conv(self.head, below, classes, 1)
        return made.state

    def _block(self, made: Made, pairs: Pairs, inputs: int, outputs: int) -> None:
        for key, normed in pairs:
            made.conv(key, inputs, outputs, bias=self.bias)
            if normed is not None:
                made.norm(normed, outputs)
            inputs = outputs

    def logits(
        self, state: State, x: Tensor, rise: Callable[[str, Tensor], Tensor], padding: int = 1
    ) -> Tensor:
        skips, depth = [], len(WIDTHS) - 1
        for level in range(depth + 1):
            x = self._run(state, self.encoder(level), x, padding)
            skips.append(x)
            x = F.max_pool2d(x, 2) if level < depth else x
        for level in reversed(range(depth)):
            x, skip = rise(self.ups(level), x), skips[level]
            edge = (skip.shape[2] - x.shape[2]) // 2
            skip = skip[:, :, edge : edge + x.shape[2], edge : edge + x.shape[3]]
            both = torch.cat((skip, x) if self.skip_first else (x, skip), 1)
            x = self._run(state, self.decoder(level), both, padding)
        return conv(state, self.head, x)

    def _run(self, state: State, pairs: Pairs, x: Tensor, padding: int) -> Tensor:
        for key, normed in pairs:
            x = conv(state, key, x, padding)
            if self.relu_before_norm:
                x = x.relu()
            if normed is not None:
                x = norm(state, normed, x)
            if not self.relu_before_norm:
                x = x.relu()
        return x


def named(prefix: str, tag: str) -> Pairs:
    return [(f"{prefix}.{tag}conv{i}", f"{prefix}.{tag}norm{i}") for i in (1, 2)]


def pairs(prefix: str) -> Pairs:
    return [(f"{prefix}.conv{i}", f"{prefix}.bn{i}") for i in (1, 2)]


LAST = len(WIDTHS) - 1
STYLES = {
    "enc-bottleneck": Style(
        lambda i: sequence("bottleneck.conv" if i == LAST else f"enc{i + 1}.conv", 0, 1, 3, 4),
        lambda i: sequence(f"dec{i + 1}.conv", 0, 1, 3, 4),
        lambda i: f"up{i + 1}",
        "out",
    ),
    "enc-bottleneck-no-norm": Style(
        lambda i: sequence("bottleneck" if i == LAST else f"enc{i + 1}", 0, None, 2, None),
        lambda i: sequence(f"dec{i + 1}", 0, None, 2, None),
        lambda i: f"up{i + 1}",
        "out",
    ),
    "milesial": Style(
        lambda i: sequence(
            f"down{i}.maxpool_conv.1.double_conv" if i else "inc.double_conv", 0, 1, 3, 4
        ),
        lambda i: sequence(f"up{LAST - i}.conv.double_conv", 0, 1, 3, 4),
        lambda i: f"up{LAST - i}.up",
        "outc.conv",
        skip_first=True,
        bias=False,
    ),
    "milesial-2018": Style(
        lambda i: sequence(f"down{i}.mpconv.1.conv" if i else "inc.conv.conv", 0, 1, 3, 4),
        lambda i: sequence(f"up{LAST - i}.conv.conv", 0, 1, 3, 4),
        lambda i: f"up{LAST - i}.up",
        "outc.conv",
        skip_first=True,
    ),
    "hanyoseob": Style(
        lambda i: (
            sequence(f"encoder{i + 1}_1", 0, 1)
            + sequence(f"decoder{i + 1}_1" if i == LAST else f"encoder{i + 1}_2", 0, 1)
        ),
        lambda i: sequence(f"decoder{i + 1}_2", 0, 1) + sequence(f"decoder{i + 1}_1", 0, 1),
        lambda i: f"unpool{i + 1}",
        "fc",
    ),
    "mateuszbuda": Style(
        lambda i: (
            named("bottleneck", "bottleneck")
            if i == LAST
            else named(f"encoder{i + 1}", f"enc{i + 1}")
        ),
        lambda i: named(f"decoder{i + 1}", f"dec{i + 1}"),
        lambda i: f"upconv{i + 1}",
        "conv",
        bias=False,
    ),
    "jvanvugt": Style(
        lambda i: sequence(f"down_path.{i}.block", 0, 2, 3, 5),
        lambda i: sequence(f"up_path.{LAST - 1 - i}.conv_block.block", 0, 2, 3, 5),
        lambda i: f"up_path.{LAST - 1 - i}.up",
        "last",
        relu_before_norm=True,
    ),
    "jvanvugt-no-norm": Style(
        lambda i: sequence(f"down_path.{i}.block", 0, None, 2, None),
        lambda i: sequence(f"up_path.{LAST - 1 - i}.conv_block.block", 0, None, 2, None),
        lambda i: f"up_path.{LAST - 1 - i}.up",
        "last",
    ),
    "persson": Style(
        lambda i: sequence("bottleneck.conv" if i == LAST else f"downs.{i}.conv", 0, 1, 3, 4),
        lambda i: sequence(f"ups.{2 * (LAST - 1 - i) + 1}.conv", 0, 1, 3, 4),
        lambda i: f"ups.{2 * (LAST - 1 - i)}",
        "final_conv",
        skip_first=True,
        bias=False,
    ),
}
VGG = Style(
    lambda i: pairs(f"conv{i}_0"),
    lambda i: pairs(f"conv{i}_{LAST - i}"),
    "up".format,
    "final",
    True,
)
LEE = Style(
    lambda i: sequence(f"Conv{i + 1}.conv", 0, 1, 3, 4),
    lambda i: sequence(f"Up_conv{i + 2}.conv", 0, 1, 3, 4),
    lambda i: f"Up{i + 2}",
    "Conv_1x1",
    skip_first=True,
)


@pytest.mark.parametrize("name", STYLES)
@pytest.mark.parametrize(("inputs", "classes"), [(3, 2), (1, 1), (5, 4)])
def test_spelling_computes_what_its_layers_say(
    name: str, inputs: int, classes: int, tmp_path: Path
) -> None:
    style = STYLES[name]
    state = style.state(inputs, classes)
    network, found = loaded(state, tmp_path)
    x = picture(inputs)
    expected = style.logits(state, x, lambda key, y: up(state, key, y))
    assert torch.allclose(network(x), expected, atol=1e-5)
    assert (found.in_channels, found.classes, found.stride) == (inputs, classes, 8)
    assert found.arguments["widths"] == WIDTHS
    published = "sigmoid" if classes == 1 or name == "mateuszbuda" else "softmax"
    assert (found.activation, found.margin) == (published, 0)


@pytest.mark.parametrize("interpolation", [None, "nearest"])
@pytest.mark.parametrize("name", ["milesial", "VGG"])
def test_bilinear_up_sampling_without_weights(
    name: str, interpolation: str | None, tmp_path: Path
) -> None:
    style = {**STYLES, "VGG": VGG}[name]
    state = style.state(up="none")
    chosen = {"interpolation": interpolation} if interpolation else {}
    network, found = loaded(state, tmp_path, **chosen)
    options = {"mode": "nearest"} if interpolation else {"mode": "bilinear", "align_corners": True}
    expected = style.logits(
        state, picture(), lambda _, y: F.interpolate(y, scale_factor=2, **options)
    )
    assert torch.allclose(network(picture()), expected, atol=1e-5)
    assert ("upsampling" in found.assumed) == (interpolation is None)


def test_resizing_before_a_pointwise_convolution(tmp_path: Path) -> None:
    style = STYLES["jvanvugt"]
    state = style.state(up="pointwise")
    network, _ = loaded(state, tmp_path)

    def rise(key: str, y: Tensor) -> Tensor:
        grown = F.interpolate(y, scale_factor=2, mode="bilinear", align_corners=False)
        return conv(state, f"{key}.1", grown)

    expected = style.logits(state, picture(), rise)
    assert torch.allclose(network(picture()), expected, atol=1e-5)


def lee_rise(state: State) -> Callable[[str, Tensor], Tensor]:
    def rise(key: str, y: Tensor) -> Tensor:
        grown = F.interpolate(y, scale_factor=2, mode="nearest")
        return norm(state, f"{key}.up.2", conv(state, f"{key}.up.1", grown, 1)).relu()

    return rise


def test_resizing_before_a_block(tmp_path: Path) -> None:
    state = LEE.state(up="block")
    network, _ = loaded(state, tmp_path)
    expected = LEE.logits(state, picture(), lee_rise(state))
    assert torch.allclose(network(picture()), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["jvanvugt", "jvanvugt-no-norm", "hanyoseob", "enc-bottleneck"])
def test_the_original_is_unpadded_and_crops(name: str, tmp_path: Path) -> None:
    style = STYLES[name]
    state = style.state()
    network, found = loaded(state, tmp_path, padding="valid")
    x = picture(side=found.smallest + 8)
    expected = style.logits(state, x, lambda key, y: up(state, key, y), padding=0)
    assert torch.allclose(network(x), expected, atol=1e-5)
    width, height = found.output_size(x.shape[3], x.shape[2])
    assert expected.shape == (2, 2, height, width)
    assert found.title == "original U-Net"


def test_the_original_gives_388_for_572(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "WIDTHS", (4, 4, 4, 4, 4))
    monkeypatch.setitem(globals(), "LAST", 4)
    network, found = loaded(STYLES["jvanvugt"].state(1, 2), tmp_path, padding="valid")
    assert found.output_size(572, 572) == (388, 388)
    assert (found.stride, found.offset, found.margin, found.smallest) == (16, 12, 92, 188)
    assert network(torch.rand(1, 1, 188, 204)).shape == (1, 2, 4, 20)
    with pytest.raises(RuntimeError):
        network(torch.rand(1, 1, 172, 172))


def test_a_size_that_only_an_unpadded_network_takes_names_its_option(tmp_path: Path) -> None:
    _, found = loaded(STYLES["enc-bottleneck"].state(), tmp_path)
    with pytest.raises(InputError, match=r"PADDING=valid takes 100x92, if its conv"):
        require_size_fits(100, 92, found)
    with pytest.raises(InputError, match=r"256x256 and 256x264\.$"):
        require_size_fits(256, 257, found)
    _, chosen = loaded(STYLES["enc-bottleneck"].state(), tmp_path, padding="same")
    with pytest.raises(InputError, match=r"96x88 and 104x96\.$"):
        require_size_fits(100, 92, chosen)


def test_a_layer_without_weights_that_may_be_a_norm_is_refused() -> None:
    """conv, instance norm, ReLU, conv: numbers 0 and 3, and nothing tells what 1 and 2 are."""
    state = STYLES["enc-bottleneck-no-norm"].state()
    moved = {key.replace(".2.", ".3."): tensor for key, tensor in state.items()}
    with pytest.raises(InputError, match="Nearest: "):
        recognise(PATH, shapes_of(moved), Choices())


class DoubleConv(nn.Module):
    """A block of a tutorial's U-Net, whose layers are in a Sequential."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        layers = [
            layer
            for width in (inputs, outputs)
            for layer in (
                nn.Conv2d(width, outputs, 3, padding=1),
                nn.BatchNorm2d(outputs),
                nn.ReLU(),
            )
        ]
        self.double_conv = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.double_conv(x)


class Down(nn.Module):
    def __init__(self, inputs: int, outputs: int, pool: nn.Module):
        super().__init__()
        self.maxpool_conv = nn.Sequential(pool, DoubleConv(inputs, outputs))

    def forward(self, x: Tensor) -> Tensor:
        return self.maxpool_conv(x)


class Up(nn.Module):
    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.up = nn.ConvTranspose2d(inputs, outputs, 2, stride=2)
        self.conv = DoubleConv(inputs, outputs)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.conv(torch.cat((skip, self.up(x)), dim=1))


class TutorialUnet(nn.Module):
    """The layout of milesial/Pytorch-UNet, with two levels."""

    def __init__(self, pool: nn.Module):
        super().__init__()
        self.inc, self.down1, self.down2 = DoubleConv(3, 4), Down(4, 8, pool), Down(8, 16, pool)
        self.up1, self.up2, self.outc = Up(16, 8), Up(8, 4), nn.Conv2d(4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        top = self.inc(x)
        middle = self.down1(top)
        return self.outc(self.up2(self.up1(self.down2(middle), middle), top))


def test_a_tutorials_network_pickled_whole_is_read(tmp_path: Path) -> None:
    torch.manual_seed(2)
    whole, path = TutorialUnet(nn.MaxPool2d(2)).eval(), tmp_path / "whole.pt"
    torch.save(whole, path)
    network = load_network(recognise_checkpoint(path))
    assert torch.allclose(network(picture()), whole(picture()), atol=1e-5)


def test_another_pooling_in_a_network_pickled_whole_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "whole.pt"
    torch.save(TutorialUnet(nn.MaxPool2d(3, stride=2, padding=1)), path)
    with pytest.raises(
        InputError,
        match=r"maxpool_conv\.0 has kernel_size 3, not 2.*own code: MODEL=path/to/\w+\.py:",
    ):
        recognise_checkpoint(path)


class WithOtherLayers(nn.Module):
    """A U-Net pickled whole: the recognised one, and a layer that leaves no trace in its keys."""

    def __init__(self, network: nn.Module, place: str, layer: nn.Module):
        super().__init__()
        for name, child in network.named_children():
            self.add_module(name, child)
        add_layer(self, place, layer)


@pytest.mark.parametrize(
    ("place", "layer", "told"),
    [
        ("enc1.conv.2", nn.LeakyReLU(0.1), r"enc1\.conv\.2 is a LeakyReLU, not a ReLU"),
        ("act", nn.SiLU(), "act is a SiLU, which it has not"),
        ("enc2.conv.1", nn.BatchNorm2d(8, eps=1e-3), "has eps 0.001"),
    ],
)
def test_a_module_pickled_whole_is_held_to_its_layers(
    place: str, layer: nn.Module, told: str, tmp_path: Path
) -> None:
    network, _ = loaded(STYLES["enc-bottleneck"].state(), tmp_path)
    network = copy.deepcopy(network)
    good, odd = tmp_path / "good.pt", tmp_path / "odd.pt"
    torch.save(WithOtherLayers(network, "pool", nn.MaxPool2d(2)), good)
    load_network(recognise_checkpoint(good))
    torch.save(WithOtherLayers(network, place, layer), odd)
    with pytest.raises(InputError, match=told):
        recognise_checkpoint(odd)


def test_an_unknown_network_is_told_its_nearest_families() -> None:
    shapes = shapes_of(STYLES["milesial"].state())
    odd = {key.replace("outc.conv", "segment"): shape for key, shape in shapes.items()}
    with pytest.raises(
        InputError, match=r"Nearest: DoubleConv U-Net \(\d+ of \d+ keys fit, not seg"
    ):
        recognise(PATH, odd, Choices())


def test_transunet_is_refused_by_its_name() -> None:
    keys = ("transformer.embeddings.position_embeddings", "decoder.blocks.0.conv1.0.weight")
    with pytest.raises(InputError, match="the keys of TransUNet"):
        shapes = dict.fromkeys((*keys, "segmentation_head.0.weight"), (2, 2, 3, 3))
        recognise(PATH, shapes, Choices())
