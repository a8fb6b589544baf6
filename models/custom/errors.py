"""Tells what the user's code raised in one sentence, with its file and line."""

import inspect
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from models.errors import InputError

LONGEST = 300
SEGPORT = Path(__file__).absolute().parents[2]
INSTALLED = __name__.startswith("segport.")
PARTS = ("models", "export", "validate", "bench", "segport")
PACKAGES = (SEGPORT,) if INSTALLED else tuple(SEGPORT / name for name in PARTS)
LIBRARIES = ("site-packages", "lib/python")

Factory = Callable[..., Any]


@contextmanager
def blamed(
    what: str, root: Path | None, made_by: Factory | None = None, remedy: str = ""
) -> Iterator[None]:
    """Raise InputError `what: error (file, line). remedy` for anything the user's code raises.

    The line is the last one below `root`, or else where `made_by` is defined. A script that
    ends its process is told like one that raises.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        text = " ".join(str(getattr(error, "msg", "") or error).split())[:LONGEST].rstrip(".")
        said = f"{type(error).__name__}: {text}" if text else type(error).__name__
        where = _line(error, root) or _definition(made_by)
        sentence = f"{what}: {said}{f' ({where})' if where else ''}. {remedy}"
        raise InputError(sentence.rstrip()) from error


def is_theirs(file: str, root: Path | None = None) -> bool:
    """Whether a file below `root` is the user's: no library's and none of Segport's."""
    path = Path(file)
    if root is not None and not path.is_relative_to(root):
        return False
    segports = any(path.is_relative_to(package) for package in PACKAGES)
    return path.is_absolute() and not segports and not any(part in file for part in LIBRARIES)


def _line(error: BaseException, root: Path | None) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}, line {error.lineno}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if is_theirs(f.filename, root)]
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""


def _definition(made_by: Factory | None) -> str:
    try:
        assert made_by is not None
        line = inspect.getsourcelines(made_by)[1]
        return f"{Path(inspect.getfile(made_by)).name}, line {line}"
    except (AssertionError, OSError, TypeError):
        return ""
