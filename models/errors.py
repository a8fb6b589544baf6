"""Every error a user can meet, with the exit code it ends the process with.

    SegportError            anything a user caused or must know
    ├── InputError          bad input: a file, an option, an output place (exit 2)
    └── ValidationFailed    the artifacts do not compute what PyTorch computes (exit 1)

A message is one sentence or two: what is wrong, in which file, what to do next.
"""

from typing import Any


class SegportError(Exception):
    """Base of all errors that end a command with a message instead of a traceback."""

    exit_code = 2


class InputError(SegportError):
    """The user's input cannot be used: a checkpoint, a photo, an option, an output place."""


class ValidationFailed(SegportError):
    """An exported file does not mean the same as the PyTorch network.

    `report`, where there is one, is the `validate.results.parity.Report` that says why.
    """

    exit_code = 1
    report: Any = None
