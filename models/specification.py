"""What a network is, and what it takes and gives: plain data that every stage passes on."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Choices:
    """What the user settles because the shapes of a state dict cannot."""

    encoder: str | None = None
    interpolation: str | None = None


@dataclass(frozen=True)
class Specification:
    """A network, complete enough to build it again.

    `arguments` are the constructor's own, `stride` is what height and width must be
    multiples of, and `assumed` names each argument that the state dict could not tell,
    with the reason for the value taken.
    """

    family: str
    architecture: str
    in_channels: int
    classes: int
    stride: int
    arguments: Mapping[str, object]
    assumed: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """For people: `smp Unet, encoder resnet34`."""
        encoder = self.arguments.get("encoder_name")
        return f"{self.family} {self.architecture}" + (f", encoder {encoder}" if encoder else "")

    @property
    def activation(self) -> str:
        """What turns logits into probabilities: sigmoid for one channel, softmax for several."""
        return "sigmoid" if self.classes == 1 else "softmax"


@dataclass(frozen=True)
class InputContract:
    """What the exported files expect of a picture.

    An RGB picture is stretched to `width` × `height` with bilinear interpolation without
    antialiasing (OpenCV's INTER_LINEAR, half-pixel centres, as the car-damage models were
    trained), divided by 255, and given as `(N, 3, H, W)`. `mean` and `std`, per channel
    and for values in [0, 1], are applied inside the exported file.
    """

    width: int
    height: int
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape of one image, `(1, 3, H, W)`."""
        return (1, 3, self.height, self.width)
