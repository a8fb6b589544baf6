"""Define every error that a user can meet, with the exit code of each.

    SegportError            anything a user caused or must know
    ├── InputError          bad input: a file, an option, an output place (exit 2)
    └── ValidationFailed    the artifacts do not compute what PyTorch computes (exit 1)

A message is one sentence or two: what is wrong, in which file, what to do next.
"""

from typing import Any


class SegportError(Exception):
    """End a command with a message instead of a traceback; the base of all such errors."""

    exit_code = 2


class InputError(SegportError):
    """Refuse the user's input: a checkpoint, a photo, an option, an output place."""


class ValidationFailed(SegportError):
    """Tell that an exported file does not compute what the PyTorch network does.

    `report`, where there is one, is the `validate.results.parity.Report` that says why.
    """

    exit_code = 1
    report: Any = None
