"""Spell options as the user gave them.

Messages name an option as make does, `SIZE=512x384`. The command line and the API say the same of
`--size 512x384` and `size=512x384`.
"""

import os
import re
import shlex
from typing import Final, Literal

Style = Literal["make", "command", "keyword"]

CALLED_BY_MAKE: Final = "SEGPORT_MAKE"
"""The Makefile sets this variable for the commands that it runs."""
NAMES: Final = (
    "SIZE OUT NAME FORMATS TARGET MEAN STD LICENCE AUTHOR MODEL MODEL_ARGS WEIGHTS ENCODER "
    "INTERPOLATION PADDING BRANCH ACTIVATION LABELS SAMPLES COREML TOLERANCES REFERENCE "
    "WRITE_REFERENCE TIME_LIMIT COMPRESS MIN_IOU"
).split()
_OPTION: Final = re.compile(rf"\b({'|'.join(NAMES)})=(?=([^\s.,;:)]|\.[\w./])?)")


def style() -> Style:
    """Return how the user of this process gave the options."""
    return "make" if os.environ.get(CALLED_BY_MAKE) else "command"


def spelled(sentence: str, how: Style) -> str:
    """Return `sentence` with its options spelled for the user.

    >>> spelled("SIZE=9x9 is odd: leave SIZE= away, or choose another OUT=.", "command")
    '--size 9x9 is odd: leave --size away, or choose another --out.'
    """
    if how == "make":
        return sentence
    if how == "keyword":
        return _OPTION.sub(lambda found: f"{found[1].lower()}=", sentence)
    return _OPTION.sub(lambda found: flag(found[1]) + (" " if found[2] else ""), sentence)


def flag(name: str) -> str:
    """Return an option as the command line has it.

    >>> flag("MODEL_ARGS")
    '--model-args'
    """
    return f"--{name.lower().replace('_', '-')}"


def export_command(checkpoint: object, **options: object) -> str:
    """Return what to type to export `checkpoint` with the `options` that are not None."""
    given = {name.upper(): shlex.quote(str(v)) for name, v in options.items() if v is not None}
    place = shlex.quote(str(checkpoint))
    if style() == "make":
        return " ".join(["make export", f"CKPT={place}", *(f"{k}={v}" for k, v in given.items())])
    return " ".join(["segport export", place, *(f"{flag(k)} {v}" for k, v in given.items())])
