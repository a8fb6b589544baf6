"""Tell what the user's code raised in one sentence, with its file and line."""

import inspect
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from models.common.cli import OutputClosed
from models.errors import InputError

LONGEST_TEXT = 300
SEGPORT = Path(__file__).absolute().parents[2]
"""The folder in which Segport's packages lie."""
INSTALLED = __name__.startswith("segport.")
"""True where all of Segport lies in one package, so that other names are the user's own."""
PACKAGES = ("models", "export", "validate", "bench", "segport")
LIBRARIES = ("site-packages", "lib/python")
"""Parts of the paths of files that belong to Python or to installed libraries."""

Factory = Callable[..., Any]


class EndedByUserCode(InputError):
    """Say that `forward` of the user's network would have ended the process."""


@contextmanager
def user_code_errors(
    what: str, root: Path | None, factory: Factory | None = None, remedy: str = ""
) -> Iterator[None]:
    """Raise InputError `what: error (file, line). remedy` for anything the user's code raises.

    The line is the last one below `root`, or else where `factory` is defined. Code that calls
    sys.exit() counts as one that raises; os._exit() ends the process before anything can be said.
    """
    try:
        yield
    except (EndedByUserCode, OutputClosed):
        raise
    except BaseException as error:
        if type(error) is KeyboardInterrupt:  # the user's own Ctrl-C
            raise
        text = " ".join(str(getattr(error, "msg", "") or error).split())[:LONGEST_TEXT].rstrip(".")
        problem = f"{type(error).__name__}: {text}" if text else type(error).__name__
        where = _line(error, root) or _definition(factory)
        sentence = f"{what}: {problem}{f' ({where})' if where else ''}. {remedy}"
        raise InputError(sentence.rstrip()) from error


def call_network(network: Factory, image: object) -> Any:
    """Return what the user's `network` makes of `image`.

    Exceptions pass. Raises EndedByUserCode for anything else that would end the process.
    """
    try:
        return network(image)
    except (Exception, OutputClosed):
        raise
    except BaseException as error:
        if type(error) is KeyboardInterrupt:
            raise
        problem = " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST_TEXT].rstrip(": .")
        where = _line(error, None)
        raise EndedByUserCode(
            f"The network's own code ends the process when it is run: {problem}"
            f"{f' ({where})' if where else ''}. Let forward return logits, or raise an exception."
        ) from error


def is_user_file(file: str, root: Path | None = None) -> bool:
    """Return whether a file below `root` is the user's: no library's and none of Segport's."""
    path = Path(file)
    if root is not None and not path.is_relative_to(root):
        return False
    places = [SEGPORT] if INSTALLED else [SEGPORT / name for name in PACKAGES]
    segports = any(path.is_relative_to(place) for place in places)
    return path.is_absolute() and not segports and not any(part in file for part in LIBRARIES)


def _line(error: BaseException, root: Path | None) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}, line {error.lineno}"
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if is_user_file(f.filename, root)
    ]
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""


def _definition(factory: Factory | None) -> str:
    try:
        if factory is not None:
            line = inspect.getsourcelines(factory)[1]
            return f"{Path(inspect.getfile(factory)).name}, line {line}"
    except (OSError, TypeError):  # a built-in, or code that was made while running
        pass
    return ""
