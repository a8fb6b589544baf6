"""The forms that a compressed file stores its weights in, and the deployment target each needs.

Files hold `constexpr_` operations, which phones expand as they load a file: int8 with a scale for
each output channel, and tables for a whole weight, since iOS 16.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from export.settings import TARGETS
from models.errors import InputError

OLDEST_TARGET = "iOS16"
KEPT_BELOW = 20_000
"""Weights of fewer numbers stay as they are. They are next to nothing of a file's size, and masks
hang on them: 0.14 % of a U-Net's weights cost 16 dB."""
EIGHT_BITS_BELOW = 40_000
"""Weights of fewer numbers have 8 bits in every form, for the same reason."""
DEFAULT_MIN_IOU = 0.9


@dataclass(frozen=True)
class Form:
    """Say how weights are stored: as int8, or as indices into a table.

    `bits` is the size of each number, `is_palette` whether it is an index.
    """

    name: str
    bits: int
    is_palette: bool

    def bits_for(self, count: int) -> int | None:
        """Return the bits for each number of a weight of `count`; None where it stays as it is."""
        if count < KEPT_BELOW:
            return None
        return 8 if count < EIGHT_BITS_BELOW else self.bits


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
