"""Describe a network, its input and its output: plain data that every stage passes on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Shapes = Mapping[str, tuple[int, ...]]
"""Keys of a state dict with the shapes of their tensors."""


@dataclass(frozen=True)
class Choices:
    """Hold what the user settles because the shapes of a state dict cannot.

    `stated` are a constructor's arguments that the checkpoint itself tells beside its weights: they
    are read from it each time, and not stored.
    """

    encoder: str | None = None
    interpolation: str | None = None
    padding: str | None = None
    branch: str | None = None
    activation: str | None = None
    stated: Mapping[str, object] = field(default_factory=dict, metadata={"stored": False})


@dataclass(frozen=True)
class Specification:
    """Describe a network completely enough to build it again.

    `arguments` are the constructor's own, and `assumed` names each argument that the state
    dict could not tell, with the reason for the value taken. Height and width must be
    `offset` above a multiple of `stride`; the output lacks `margin` pixels on each of its four
    sides, which is 0 but for networks of unpadded convolutions. `activation` turns logits into
    probabilities: `sigmoid` for one channel and `softmax` for several, unless it is given.
    Several channels with `sigmoid` are independent: a pixel may belong to any number of them.
    `fixed_size` is the one `(width, height)` that a network with learned position embeddings
    takes, in pixels; None where any size above will do.
    """

    family: str
    architecture: str
    in_channels: int
    classes: int
    stride: int
    arguments: Mapping[str, object]
    assumed: Mapping[str, str] = field(default_factory=dict)
    offset: int = 0
    margin: int = 0
    activation: str = ""
    fixed_size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        """Settle the activation, where none was given, by the number of classes."""
        if not self.activation:
            usual = "sigmoid" if self.classes == 1 else "softmax"
            object.__setattr__(self, "activation", usual)

    @property
    def independent(self) -> bool:
        """Return whether there are several channels, each decided without regard to the others."""
        return self.activation == "sigmoid" and self.classes > 1

    @property
    def smallest(self) -> int:
        """Return the smallest height or width that gives an output, in pixels."""
        strides = max(0, 2 * self.margin - self.offset) // self.stride + 1
        return self.offset + strides * self.stride

    def takes(self, width: int, height: int) -> bool:
        """Return whether the network takes inputs of this size, in pixels."""
        if self.fixed_size is not None:
            return (width, height) == self.fixed_size
        sides = (width, height)
        return min(sides) >= self.smallest and all(
            (side - self.offset) % self.stride == 0 for side in sides
        )

    def at_least(self, side: int) -> int:
        """Return the smallest height or width of `side` pixels or more that the network takes."""
        return max(
            self.smallest, -(-(side - self.offset) // self.stride) * self.stride + self.offset
        )

    def output_size(self, width: int, height: int) -> tuple[int, int]:
        """Return `(width, height)` of the logits and the mask that an input of this size gives."""
        return width - 2 * self.margin, height - 2 * self.margin

    def mask_shape(self, width: int, height: int) -> tuple[int, ...]:
        """Return the shape of the mask that an input of this size gives.

        `(H, W)`, or `(C, H, W)` where channels are independent.
        """
        columns, rows = self.output_size(width, height)
        return (self.classes, rows, columns) if self.independent else (rows, columns)

    @property
    def title(self) -> str:
        """Return the network's name for people, as `smp Unet, encoder resnet34`."""
        encoder = self.arguments.get("encoder_name")
        name = f"{self.family} {self.architecture}".strip()
        return name + (f", encoder {encoder}" if encoder else "")


@dataclass(frozen=True)
class InputContract:
    """Describe the picture that the exported files expect.

    A picture of `channels` channels is stretched to `width` × `height` with bilinear
    interpolation without antialiasing (OpenCV's INTER_LINEAR, half-pixel centres, as the
    car-damage models were trained), divided by 255, and given as `(N, channels, H, W)`.
    `mean` and `std`, per channel and for values in [0, 1], are applied inside the exported file.
    """

    width: int
    height: int
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    channels: int = 3

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Return the shape of one image, `(1, channels, H, W)`."""
        return (1, self.channels, self.height, self.width)

    @property
    def colour(self) -> str:
        """Return the name of the channels: grey, RGB or RGBA, or else how many there are."""
        return {1: "grey", 3: "RGB", 4: "RGBA"}.get(self.channels, f"{self.channels} channels")

    @property
    def is_image(self) -> bool:
        """Return whether Core ML takes such a picture as an image, not as an array of numbers."""
        return self.channels in (1, 3)
