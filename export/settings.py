"""Parse what the user asks of an export, once, into one frozen object."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.custom.option import NamedModule
from models.errors import InputError
from models.specification import Choices, InputContract, Specification

FORMATS = ("torchscript", "mlprogram", "neuralnetwork", "onnx")
DEFAULT_FORMATS = ("torchscript", "mlprogram", "onnx")
# mlprogram came with iOS 15; what is older gets the NeuralNetwork backend.
NEURALNETWORK_TARGETS = ("iOS13", "iOS14")
TARGETS = (*NEURALNETWORK_TARGETS, "iOS15", "iOS16", "iOS17", "iOS18", "iOS26")
DEFAULT_TARGET = "iOS15"
DEFAULT_SIDE = 256
LARGEST_SIDE = 8192


@dataclass(frozen=True)
class Settings:
    """Hold everything that decides what a bundle holds, beside the checkpoint itself."""

    size: tuple[int, int] | None = None
    formats: tuple[str, ...] = DEFAULT_FORMATS
    target: str = DEFAULT_TARGET
    compress: str | None = None
    min_iou: float = 0.0
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    labels: tuple[str, ...] | None = None
    weights: str | None = None
    choices: Choices = field(default_factory=Choices)
    module: NamedModule | None = None
    licence: str | None = None
    author: str | None = None
    name: str | None = None

    def place(self, out: Path, checkpoint: Path) -> Path:
        """Return the folder below `out` that the bundle of `checkpoint` becomes."""
        return out / (self.name or bundle_name(checkpoint))

    def contract_for(self, specification: Specification) -> InputContract:
        """Return what the exported files of this network will expect of a picture.

        Raises InputError when the network does not take the size that was asked for, or has
        another number of channels than MEAN or STD has values.
        """
        width, height = self.size or default_size(specification)
        require_size_fits(width, height, specification)
        channels = specification.in_channels
        for name, values in (("MEAN", self.mean), ("STD", self.std)):
            if values is not None and len(values) != channels:
                raise InputError(
                    f"{name} has {len(values)} value(s) and the network takes {channels} "
                    "channel(s): write one for each, in their order."
                )
        return InputContract(width, height, self.mean, self.std, channels)


def parse_size(text: str | None) -> tuple[int, int] | None:
    """Return `(width, height)` of `512x384`, or of `256` for a square; None for none.

    >>> parse_size("512x384")
    (512, 384)
    """
    if text is None:
        return None
    match = re.fullmatch(r"\s*(\d{1,5})\s*(?:[x×X*,]\s*(\d{1,5})\s*)?", text)
    if match is None:
        raise InputError(f"SIZE={text} is not a size: write WIDTHxHEIGHT in pixels, as 512x384.")
    width = int(match[1])
    height = int(match[2] or width)
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise InputError(f"SIZE={text} is out of range: each side is 1 to {LARGEST_SIDE} pixels.")
    return width, height


def require_text(options: Mapping[str, object]) -> None:
    """Raise InputError for an option whose bytes are no UTF-8, which no exported file can hold."""
    texts = (
        (name, text)
        for name, value in options.items()
        for text in (value if isinstance(value, list | tuple) else (value,))
    )
    for name, text in texts:
        if isinstance(text, str) and text != text.encode("utf-8", "replace").decode("utf-8"):
            raise InputError(f"{name.upper()}={ascii(text)[1:-1]} is no text: write it in UTF-8.")


def default_size(specification: Specification) -> tuple[int, int]:
    """Return `(width, height)` where none was asked for: 256 × 256, or the next that fits."""
    if specification.fixed_size is not None:
        return specification.fixed_size
    side = specification.at_least(DEFAULT_SIDE)
    return side, side


def require_size_fits(width: int, height: int, specification: Specification) -> None:
    """Raise InputError, naming the sizes that fit, unless the network takes this one."""
    if specification.fixed_size is not None:
        _require_the_size((width, height), specification.fixed_size)
        return
    sides = (width, height)
    above = [specification.at_least(side) for side in sides]
    if tuple(above) == sides:
        return
    below = [specification.at_least(side - specification.stride + 1) for side in sides]
    plus = f" plus {specification.offset}" if specification.offset else ""
    least = f", and {specification.smallest} at least" if specification.margin else ""
    fitting = list(dict.fromkeys(f"{columns}x{rows}" for columns, rows in (below, above)))
    nearest = f"The nearest that fit are {' and '.join(fitting)}."
    if len(fitting) == 1:
        nearest = f"The smallest that fits is {fitting[0]}."
    from models.families.unet.specify import takes_unpadded

    if takes_unpadded(specification, width, height):
        nearest += f" PADDING=valid takes {width}x{height}, if its convolutions are unpadded."
    raise InputError(
        f"SIZE={width}x{height} does not suit this network: width and height must be multiples "
        f"of {specification.stride}{plus}{least}. {nearest}"
    )


def _require_the_size(asked: tuple[int, int], fixed: tuple[int, int]) -> None:
    if asked != fixed:
        raise InputError(
            f"SIZE={asked[0]}x{asked[1]} does not suit this network, which takes pictures of "
            f"{fixed[0]}x{fixed[1]} alone. Leave SIZE= away, or say that."
        )


def parse_channels(text: str | None, name: str) -> tuple[float, ...] | None:
    """Return the per-channel numbers of `0.485,0.456,0.406`; None for none."""
    if text is None:
        return None
    try:
        values = tuple(float(part) for part in text.replace(";", ",").split(","))
    except ValueError:
        values = ()
    if not values or not all(abs(value) < 1e6 for value in values):
        raise InputError(
            f"{name}={text} is not a value per channel: write a number for each, for pictures in "
            f"[0, 1], as {name}=0.485,0.456,0.406 for R, G and B."
        )
    if name == "STD" and min(values) <= 0:
        raise InputError(
            f"STD={text} must be above zero in every channel: pictures are divided by it."
        )
    return values


def parse_formats(text: str | None) -> tuple[str, ...]:
    """Return the formats of `onnx,torchscript`, in the order in which they are written."""
    asked = listed_formats(text) or DEFAULT_FORMATS
    return tuple(format for format in FORMATS if format in asked)


def listed_formats(
    text: str | None, option: str = "FORMATS", known: Sequence[str] = FORMATS
) -> tuple[str, ...] | None:
    """Return the formats of `onnx,torchscript` as they are listed, each `known`; None for none.

    Raises InputError where one is unknown, or there is none in the text.
    """
    if text is None:
        return None
    asked = [part.strip().lower() for part in text.split(",") if part.strip()]
    unknown = sorted(set(asked) - set(known))
    if unknown or not asked:
        what = f"names {', '.join(unknown)}" if unknown else "is empty"
        raise InputError(f"{option}={text} {what}: choose from {', '.join(known)}.")
    return tuple(dict.fromkeys(asked))


def parse_target(text: str | None, *, default: str = DEFAULT_TARGET) -> str:
    """Return the deployment target in Apple's spelling, `iOS16`; `default` for none."""
    if text is None:
        return default
    for target in TARGETS:
        if text.strip().lower().replace(" ", "") == target.lower():
            return target
    raise InputError(f"TARGET={text} is not a deployment target: choose from {', '.join(TARGETS)}.")


def parse_labels(labels: Sequence[str] | str | None) -> tuple[str, ...] | None:
    """Return the labels of a list, or of `background,breakage`; None for none."""
    if isinstance(labels, str):
        return tuple(part.strip() for part in labels.split(","))
    return None if labels is None else tuple(map(str, labels))


def parse_name(text: str | None) -> str | None:
    """Return the name of a bundle as it was asked for; None for none.

    Raises InputError where a path, Xcode or a shell would not take it as it is.
    """
    if text is not None and text != (safe := safe_name(text)):
        raise InputError(
            f"NAME={text} cannot be the name of a bundle: take letters, digits, '_', '-' and '.', "
            f"as in NAME={safe}."
        )
    return text


def bundle_name(checkpoint: Path) -> str:
    """Return a name that is safe in paths, in Xcode and in a shell, from the checkpoint's.

    >>> bundle_name(Path("[DAMAGE][Breakage_3]Unet.pt"))
    'DAMAGE-Breakage_3-Unet'
    """
    return safe_name(checkpoint.name if checkpoint.is_dir() else checkpoint.stem)


def safe_name(text: str) -> str:
    """Return `text` without what a path, Xcode or a shell would not take in a name."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.") or "model"


def checked_formats(formats: Sequence[str], target: str) -> tuple[tuple[str, ...], str | None]:
    """Return the formats that `target` allows, and the sentence that says what was replaced."""
    if target not in NEURALNETWORK_TARGETS or "mlprogram" not in formats:
        return tuple(formats), None
    allowed = tuple(f for f in FORMATS if f in {*formats, "neuralnetwork"} - {"mlprogram"})
    return allowed, (
        f"{target} cannot run an mlprogram, which needs iOS 15: the NeuralNetwork backend wrote "
        ".mlmodel instead."
    )
