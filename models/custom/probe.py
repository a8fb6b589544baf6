"""Find channels, classes and sizes of a network by running it on small inputs.

A size that works is looked for first, then the smallest step by which height and width may grow
with the output growing by the same step. A network for which there is none takes that size alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.custom.errors import EndedByUserCode, user_code_errors
from models.custom.load_module import LoadedNetwork
from models.custom.outputs import LogitsOutput, output_of
from models.errors import InputError

CHANNELS = (3, 1, 4, 2)
SIDES = (
    *(64, 168, 120, 128, 256, 224, 96, 320, 384, 448, 512, 518, 572, 1024, 192, 160, 288, 352),
    *(400, 416, 480, 576, 640, 768, 100, 200, 240, 300, 299, 336, 32, 28, 48),
)
"""Sides of inputs to try, in pixels. 64 is a multiple of all powers of two that matter, 168 and 120
of most other strides; the rest are for networks that take one size alone."""
LARGEST_COMPARED = 256
"""Once a side works, larger ones than this are not tried for an output as large as the input."""
USUAL_SIDE = 256
"""The side of an export whose size is not given."""
STEPS = (1, 2, 4, 8, 16, 32, 64, 14, 28, 7, 12, 24, 48, 10, 20, 40, 3, 6, 5)
"""Strides to try, the commonest first."""


@dataclass(frozen=True)
class ProbeResult:
    """Hold what the network takes and gives; see Specification."""

    in_channels: int
    classes: int
    stride: int
    offset: int
    margin: int
    fixed_size: tuple[int, int] | None
    output: LogitsOutput


def probe(ran: LoadedNetwork, option: str) -> ProbeResult:
    """Run the network on noise of several sizes.

    Raises InputError where it runs on none, gives no logits in proportion to its input, or does
    not give the same twice.
    """
    network = ran.network.eval()
    channels, side, output, logits = _first_that_works(network, ran, option)
    margin = _margin(logits, side, option)
    _require_repeatable(network, channels, side, option)

    def fits(height: int, width: int) -> bool:
        return _fits(network, (channels, height, width), logits, margin)

    stride = next((step for step in STEPS if _is_stride(step, side, fits)), None)
    fixed = None
    if stride is None and margin:
        raise InputError(_not_in_proportion(option, side, logits))
    if stride is None:
        alone = USUAL_SIDE if fits(USUAL_SIDE, USUAL_SIDE) else side
        fixed, stride = (alone, alone), alone
    return ProbeResult(channels, logits.shape[1], stride, side % stride, margin, fixed, output)


def _first_that_works(
    network: nn.Module, ran: LoadedNetwork, option: str
) -> tuple[int, int, LogitsOutput, Tensor]:
    """Return channels and a side that works, best one with an output as large as its input."""
    for channels in _channels(network):
        found = list(_sides_that_work(network, channels, option))
        if found:
            return next((each for each in found if each[3].shape[2] == each[1]), found[0])
    channels = next(_channels(network))
    what = f"{option} runs on no input; on one of {channels}×{USUAL_SIDE}×{USUAL_SIDE}"
    with user_code_errors(what, ran.folders[-1]):
        output_of(network, _noise(channels, USUAL_SIDE, USUAL_SIDE))
    raise InputError(f"{option} does not always run on the same input.")


def _channels(network: nn.Module) -> Iterator[int]:
    """Yield numbers of input channels to try, that of the first convolution first."""
    convolutions = (m for m in network.modules() if isinstance(m, nn.Conv2d))
    first = [layer.in_channels for layer in convolutions][:1]
    yield from dict.fromkeys((*first, *CHANNELS))


def _sides_that_work(
    network: nn.Module, channels: int, option: str
) -> Iterator[tuple[int, int, LogitsOutput, Tensor]]:
    """Yield sides that work, up to the first whose output is as large."""
    works = False
    for side in SIDES:
        if works and side > LARGEST_COMPARED:
            return
        try:
            found = output_of(network, _noise(channels, side, side))
        except EndedByUserCode:
            raise
        except (TypeError, AttributeError, NameError):  # another side would not help
            return
        except Exception:  # this side may be wrong; the caller reports if all are
            continue
        if isinstance(found, str):
            raise InputError(f"{option} cannot be exported: {found}.")
        works = True
        yield channels, side, *found
        if found[1].shape[2] == side:
            return


def _margin(logits: Tensor, side: int, option: str) -> int:
    height, width = logits.shape[2:]
    if height != width or height > side or (side - height) % 2:
        raise InputError(_not_in_proportion(option, side, logits))
    return int(side - height) // 2


def _not_in_proportion(option: str, side: int, logits: Tensor) -> str:
    height, width = logits.shape[2:]
    return (
        f"{option} gives logits of {width}×{height} for an input of {side}×{side}: they must be "
        "as large as the input, but for a border that unpadded convolutions take. Resize them in "
        "forward, as F.interpolate(x, size=image.shape[2:], mode='bilinear')."
    )


def _require_repeatable(network: nn.Module, channels: int, side: int, option: str) -> None:
    image = _noise(channels, side, side)
    first, second = (output_of(network, image) for _ in range(2))
    if isinstance(first, str) or isinstance(second, str) or not torch.equal(first[1], second[1]):
        raise InputError(
            f"{option} gives other logits for the same input each time, in evaluation mode: "
            "F.dropout needs training=self.training."
        )


def _is_stride(step: int, side: int, fits: Callable[[int, int], bool]) -> bool:
    return fits(side + step, side) and fits(side, side + 3 * step)


def _fits(network: nn.Module, shape: tuple[int, int, int], logits: Tensor, margin: int) -> bool:
    """Return whether the network runs on `shape` and its output lacks `margin` on each side."""
    try:
        found = output_of(network, _noise(*shape))
    except EndedByUserCode:
        raise
    except Exception:
        return False
    wanted = (1, logits.shape[1], shape[1] - 2 * margin, shape[2] - 2 * margin)
    return not isinstance(found, str) and found[1].shape == wanted


def _noise(channels: int, height: int, width: int) -> Tensor:
    generator = torch.Generator().manual_seed(5)
    return torch.rand((1, channels, height, width), generator=generator)
