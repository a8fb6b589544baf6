"""Name and colour the mask's values.

A mask of a C-channel network holds 0 … C-1; that of a one-channel network holds 0 (not
the class) and 1 (the class), so it has two labels. Where several channels are independent,
the mask holds 0 and 1 for each channel, and the labels and colours are the channels'.
"""

import colorsys
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.common.text import listed, shown
from models.errors import InputError

WELL_KNOWN_NAMES = {
    r"\[DAMAGE\]\[Scratch(ed)?_0\]": "scratch",
    r"\[DAMAGE\]\[Sep[ae]rated_1\]": "separated",
    r"\[DAMAGE\]\[Crushed_2\]": "crushed",
    r"\[DAMAGE\]\[Breakage_3\]": "breakage",
}
"""Names of the public car-damage checkpoints' files, in two spellings, with the class of each."""
LABEL_KEYS = ("labels", "class_names", "classes", "label_names", "names")
"""Keys under which training scripts keep class names, the last one only outside of configs."""
DEEPEST = 4
"""Levels of a checkpoint's facts in which class names are searched for."""
LISTED = 20
"""Labels named in a message."""
BACKGROUND_COLOUR = "0x00000000"
OVERLAY_ALPHA = 0x99
PALETTE = ("D55E00", "0072B2", "F0E442", "009E73", "CC79A7", "56B4E9", "E69F00")
"""Okabe and Ito (2008), "Color Universal Design": colour-blind readers tell these apart too."""


@dataclass(frozen=True)
class Labels:
    """Hold the label and colour (`0xRRGGBBAA`) of each mask value, and the source of the labels.

    Where channels are independent, each channel has a label and a colour.
    """

    names: tuple[str, ...]
    colours: tuple[str, ...]
    source: str

    @property
    def summary(self) -> str:
        """Return the names, as many as a line holds."""
        return listed(self.names, LISTED)


def mask_values(classes: int) -> int:
    """Return how many values the mask of a network with `classes` channels can hold."""
    return max(2, classes)


def choose_labels(
    path: Path,
    classes: int,
    asked: Sequence[str] | None,
    config: Mapping[str, object],
    *,
    independent: bool = False,
) -> Labels:
    """Return labels from LABELS=, else from the checkpoint, else from its name, else numbered.

    Raises InputError when the labels asked for, or the checkpoint's own, do not fit `classes`.
    """
    first = 1 if independent else 0  # independent channels have no background
    if asked is not None:
        return _named(_fitted(asked, classes, path, "LABELS", independent), "LABELS", first)
    for entry, names in _own_names(config):
        try:
            fitted = _fitted(names, classes, path, f"its own entry '{entry}'", independent)
            return _named(fitted, "checkpoint", first)
        except InputError:
            if "/" not in entry:  # deeper lists that do not fit may name something else
                raise
    for pattern, name in WELL_KNOWN_NAMES.items():
        if re.search(pattern, path.name, re.IGNORECASE) and mask_values(classes) == 2:
            return _named(("background", name), "file name", first)
    return _named(_numbered(classes), "numbered", first)


def colour_of(value: int) -> str:
    """Return the colour of mask value `value`, `0xRRGGBBAA`; value 0 is transparent.

    >>> colour_of(1)
    '0xD55E0099'
    """
    if value == 0:
        return BACKGROUND_COLOUR
    if value <= len(PALETTE):
        return f"0x{PALETTE[value - 1]}{OVERLAY_ALPHA:02X}"
    # Past the palette: hues that are a golden angle apart differ most from their neighbours.
    red, green, blue = colorsys.hsv_to_rgb(value * 0.618034 % 1, 0.65, 0.95)
    return f"0x{round(red * 255):02X}{round(green * 255):02X}{round(blue * 255):02X}99"


def _named(names: Sequence[str], source: str, first: int) -> Labels:
    colours = tuple(colour_of(value) for value, _ in enumerate(names, first))
    return Labels(tuple(names), colours, source)


def _own_names(config: Mapping[str, object]) -> Iterator[tuple[str, list[str]]]:
    """Yield lists of class names in a checkpoint's facts, with their entries, outermost first.

    >>> list(_own_names({"cfg": {"data": {"CLASSES": ["sky", "road"]}}}))
    [('cfg/data/CLASSES', ['sky', 'road'])]
    """
    level: dict[str, Mapping[str, object]] = {"": config}
    for depth in range(DEEPEST):
        for place, facts in level.items():
            for known in LABEL_KEYS if depth == 0 else LABEL_KEYS[:-1]:
                for key, value in facts.items():
                    if key.lower() == known and (names := _names_in(value)):
                        yield place + key, names
        level = {
            f"{place}{key}/": value
            for place, facts in level.items()
            for key, value in facts.items()
            if isinstance(value, dict)
        }


def _names_in(value: object) -> list[str]:
    """Return the class names in a checkpoint's entry: a list, or a mapping index → name."""
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value, key=lambda key: (len(str(key)), str(key)))]
    if isinstance(value, list) and value and all(isinstance(name, str) for name in value):
        return value
    return []


def _fitted(
    names: Sequence[str], classes: int, path: Path, source: str, independent: bool
) -> Sequence[str]:
    if any(not name.strip() for name in names) or len(set(names)) != len(names):
        raise InputError(
            f"{shown(source)} names {_quoted(names)} for {path.name}: "
            "every label must be there once and not be empty."
        )
    if classes == 1 and len(names) == 1:
        return ("background", *names)
    if len(names) != mask_values(classes):
        plural = "class" if classes == 1 else "classes"
        kind = "channel, as none is background" if independent else "class, background first"
        raise InputError(
            f"{path.name} has {classes} {plural}, {shown(source)} names {len(names)} "
            f"({listed([shown(name) for name in names], LISTED)}): name every {kind}, with LABELS=."
        )
    return names


def _quoted(names: Sequence[str]) -> str:
    return listed([f"'{shown(name)}'" for name in names], LISTED)


def _numbered(classes: int) -> list[str]:
    if classes == 1:
        return ["background", "foreground"]
    return [f"class_{index}" for index in range(classes)]
