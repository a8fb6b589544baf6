"""Share what every command line needs: exit codes, one-sentence errors, and stages with times.

Exit codes: 0 success, 1 a failed validation, 2 bad input, 70 an error of Segport's own
(EX_SOFTWARE in sysexits.h), 130 stopped by Ctrl-C.
"""

import errno
import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from models.common.spelling import spelled, style
from models.common.text import first_line, visible, write_out_what_cannot_be_encoded
from models.errors import InputError, SegportError

if TYPE_CHECKING:
    from rich.console import Console

INTERNAL_ERROR = 70
STOPPED = 130
LINE_EVERY = 30.0  # seconds
TRACEBACK = "SEGPORT_TRACEBACK"
LONGEST = 20_000  # characters of a message, in which a file may have put what it liked
# What is wrong with a file, a folder or a disk, and not with Segport.
NOT_OURS = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP, errno.EIO),
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
}
_stopped = threading.Event()
# Told what is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]
CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def run(command: click.Command, name: str) -> None:
    """Run a command line and leave the process with its exit code; never with a traceback."""
    # A job that is told to end must clean up like one that is interrupted by hand.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    write_out_what_cannot_be_encoded()
    try:
        code = command.main(prog_name=name, standalone_mode=False)
    except click.exceptions.Abort:
        code = _say("Stopped. What was there before is untouched.", STOPPED)
    except KeyboardInterrupt:
        code = _say("Stopped. What was there before is untouched.", STOPPED)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except SegportError as error:
        code = _say(f"Error: {error}", error.exit_code)
    except BrokenPipeError:
        # The reader of our output went away; a second error at shutdown would help nobody.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        code = _unexpected(error)
    sys.exit(code if isinstance(code, int) else 0)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    _stopped.set()
    raise KeyboardInterrupt


def _require_going_on() -> None:
    """Stop here if the user asked to: some libraries swallow the KeyboardInterrupt itself."""
    if _stopped.is_set():
        raise KeyboardInterrupt


def _unexpected(error: Exception) -> int:
    """Tell what nothing else explained: the file system's refusals, and Segport's own errors."""
    if isinstance(error, OSError) and error.errno in NOT_OURS:
        where = error.filename or "A file or folder"
        return _say(f"Error: {where} cannot be used: {error.strerror}.", InputError.exit_code)
    return _say(
        f"Error: Segport met something it did not expect ({type(error).__name__}: "
        f"{first_line(error)}). Please report it, with the output of the same command "
        f"under {TRACEBACK}=1.",
        INTERNAL_ERROR,
    )


def _say(sentence: str, code: int) -> int:
    text = visible(spelled(sentence, style()))
    click.echo(text if len(text) <= LONGEST else f"{text[:LONGEST]} …", err=True)
    return code


class Stages:
    """Run named stages: a spinner on a terminal, a plain line elsewhere, a time for each.

    `progress` is told of each stage when it begins and when it is done, and of each part of a
    counted one.
    """

    def __init__(self, console: "Console", progress: Progress | None = None):
        self.console = console
        self.timings: dict[str, float] = {}
        self._progress = progress or (lambda *_: None)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Time the block under `name`, and say when it is done."""
        started = time.perf_counter()
        self._progress(name, 0, 1)
        if self.console.is_terminal:
            with self.console.status(name):
                yield
        else:
            yield
        self._say_done(name, started)

    @contextmanager
    def counted(self, name: str) -> Iterator[Progress]:
        """Time the block with a bar; it tells what it is at, how much is done, and of how much."""
        started = time.perf_counter()
        self._progress(name, 0, 1)
        if not self.console.is_terminal:
            yield self._plain_progress(name)
            return self._say_done(name, started)
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        what = TextColumn("{task.description}", markup=False)
        after = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Bar(what, *after, console=self.console, transient=True) as bar:
            task = bar.add_task(name, total=None)
            yield lambda what, done, total: bar.update(
                task, description=f"{name}: {what}", completed=done, total=total
            )
        return self._say_done(name, started)

    def tell(self, text: str) -> None:
        """Print a line below the stage that found it out."""
        self.console.print(f"  {text}", highlight=False, markup=False, soft_wrap=True)

    def _plain_progress(self, name: str) -> Progress:
        """Return progress that prints a line every half minute, so that a log shows long work."""
        last = time.perf_counter()

        def tell(what: str, done: int, total: int) -> None:
            nonlocal last
            self._progress(f"{name}: {what}", done, total)
            if time.perf_counter() - last >= LINE_EVERY:
                last = time.perf_counter()
                text = f"  {name}: {what}, {done} of {total}"
                self.console.print(text, highlight=False, markup=False, soft_wrap=True)

        return tell

    def _say_done(self, name: str, started: float) -> None:
        _require_going_on()
        self._progress(name, 1, 1)
        self.timings[name] = time.perf_counter() - started
        self.console.print(f"[green]✓[/] {name:<44} {self.timings[name]:6.1f} s", highlight=False)


def silent_console() -> "Console":
    """Return a console that shows nothing."""
    from rich.console import Console

    return Console(file=io.StringIO(), quiet=True)


def console() -> "Console":
    """Return the console that results go to, as wide as the terminal."""
    from models.common.console import PlainConsole

    # Bound to this stream: a converter whose output is swallowed must not swallow ours.
    return PlainConsole(file=sys.stdout)
