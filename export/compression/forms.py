"""The forms that a compressed file stores its weights in, and the deployment target each needs.

coremltools writes `constexpr_` operations, which phones expand as they load a file: tables for a
whole weight and int8 since iOS 16, tables for groups of output channels since iOS 18.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from export.settings import TARGETS
from models.errors import InputError

OLDEST_TARGET = "iOS16"
GROUPED_TARGET = "iOS18"
GROUP = 16
"""Output channels that share a table, where the target has such tables."""
COMPRESSED_ABOVE = 2048
"""Weights of no more numbers stay as they are: they are next to nothing of a file's size."""
SMALL = 20_000
"""Weights of fewer numbers keep a table of 8 bits: so few that it costs no size, and masks gain."""
DEFAULT_MIN_IOU = 0.9


@dataclass(frozen=True)
class Form:
    """Say how weights are stored: int8 with a scale for each output channel, or in a table.

    `bits` is the size of each number, `is_palette` whether it is an index into a table.
    """

    name: str
    bits: int
    is_palette: bool

    def group(self, target: str) -> int | None:
        """Return how many output channels share a table; None where the whole weight does."""
        grouped = self.is_palette and self.bits < 8
        return GROUP if grouped and is_at_least(target, GROUPED_TARGET) else None


FORMS = {
    form.name: form
    for form in (
        Form("int8", 8, is_palette=False),
        Form("palette8", 8, is_palette=True),
        Form("palette6", 6, is_palette=True),
        Form("palette4", 4, is_palette=True),
    )
}


def is_at_least(target: str, oldest: str) -> bool:
    """Return whether a deployment target is `oldest` or newer."""
    return TARGETS.index(target) >= TARGETS.index(oldest)


def parse_form(text: str | None) -> str | None:
    """Return the name of a form as it was asked for; None for none.

    Raises InputError where there is no such form.
    """
    if text is None:
        return None
    if text.strip().lower() not in FORMS:
        raise InputError(f"COMPRESS={text} is not a form of weights: choose from {_names()}.")
    return text.strip().lower()


def parse_min_iou(value: float | None, form: str | None) -> float:
    """Return the least IoU of a compressed file's masks.

    Raises InputError where it is no share, or nothing is compressed.
    """
    if value is None:
        return DEFAULT_MIN_IOU
    if not 0 <= value <= 1:
        raise InputError(f"MIN_IOU={value:g} is out of range: an IoU is 0 to 1, as MIN_IOU=0.97.")
    if form is None:
        raise InputError(
            f"MIN_IOU={value:g} is about a compressed file: add COMPRESS={next(iter(FORMS))}, or "
            "leave it away."
        )
    return value


def require_runs(form: str | None, formats: Sequence[str], target: str) -> None:
    """Raise InputError where no compressed file can be written beside `formats` for `target`."""
    if form is None:
        return
    if "mlprogram" not in formats:
        raise InputError(
            f"COMPRESS={form} makes a smaller file of the mlprogram, and FORMATS="
            f"{','.join(formats)} writes none: add mlprogram to FORMATS, or leave COMPRESS= away."
        )
    if not is_at_least(target, OLDEST_TARGET):
        raise InputError(
            f"COMPRESS={form} needs {OLDEST_TARGET}, and TARGET={target} cannot run such a file: "
            f"take TARGET={OLDEST_TARGET}, or leave COMPRESS= away."
        )


def _names() -> str:
    return ", ".join(FORMS)
