"""Share what every command line needs: exit codes, one-sentence errors, and stages with times.

Exit codes: 0 success, 1 a failed validation, 2 bad input, 70 an error of Segport's own
(EX_SOFTWARE in sysexits.h), 130 stopped by Ctrl-C, 141 when nobody reads the output any more.
"""

import errno
import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from types import FrameType
from typing import IO, TYPE_CHECKING, Any, NoReturn, cast

import click

from models.common.spelling import spelled, style
from models.common.text import first_line, visible, wrapped, write_out_what_cannot_be_encoded
from models.errors import InputError, SegportError

if TYPE_CHECKING:
    from rich.console import Console

INTERNAL_ERROR = 70
STOPPED = 130
NOT_READ = 128 + signal.SIGPIPE
LINE_EVERY = 30.0  # seconds
LOG_WIDTH = 100  # columns of what is no terminal
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


class OutputClosed(BaseException):
    """Stop a command whose standard output takes no more; no `except Exception` swallows it."""


class _StandardOutput:
    """Write to a stream, and raise OutputClosed where it takes no more."""

    def __init__(self, stream: IO[str]):
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with _written(self._stream):
            return self._stream.write(text)

    def flush(self) -> None:
        with _written(self._stream):
            self._stream.flush()


@contextmanager
def _written(stream: IO[str]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        with suppress(OSError):  # what is still buffered must not fail again at shutdown
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise OutputClosed(error) from None


def _open_missing_streams() -> None:
    """Open the null device for closed streams: a file opened next would take their numbers."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or io.StringIO()
    sys.stderr = sys.stderr or io.StringIO()


def run(command: click.Command, name: str) -> NoReturn:
    """Run a command line and leave the process with its exit code; never with a traceback."""
    # A job that is told to end must clean up like one that is interrupted by hand.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    _open_missing_streams()
    write_out_what_cannot_be_encoded()
    try:
        with redirect_stdout(cast("IO[str]", _StandardOutput(sys.stdout))):
            code = command.main(prog_name=name, standalone_mode=False)
            sys.stdout.flush()
    except OutputClosed as closed:
        code = _unwritten(closed.args[0])
    except click.exceptions.Abort:
        code = _say("Stopped. What was there before is untouched.", STOPPED)
    except KeyboardInterrupt:
        code = _say("Stopped. What was there before is untouched.", STOPPED)
    except click.ClickException as error:
        with suppress(OSError):
            error.show()
        code = error.exit_code
    except SegportError as error:
        code = _say(f"Error: {error}", error.exit_code)
    except BaseException as error:
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


def _unwritten(error: OSError) -> int:
    if error.errno == errno.EPIPE:
        return NOT_READ
    return _say(
        f"Error: Standard output takes no more ({error.strerror}), so this was stopped. What was "
        "there before is untouched.",
        InputError.exit_code,
    )


def _unexpected(error: BaseException) -> int:
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
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
    with suppress(OSError):
        if sys.stderr.isatty():  # in a log, a message is a line
            width = os.get_terminal_size(sys.stderr.fileno()).columns
            text = "\n".join(part for line in text.split("\n") for part in wrapped(line, width))
        click.echo(text, err=True)
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
        from models.common.console import print_line

        print_line(self.console, f"  {text}")

    def _plain_progress(self, name: str) -> Progress:
        """Return progress that prints a line every half minute, so that a log shows long work."""
        last = time.perf_counter()

        def tell(what: str, done: int, total: int) -> None:
            nonlocal last
            self._progress(f"{name}: {what}", done, total)
            if time.perf_counter() - last >= LINE_EVERY:
                last = time.perf_counter()
                self.tell(f"{name}: {what}, {done} of {total}")

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
    """Return the console that results go to, as wide as the terminal, or 100 columns in a log."""
    from models.common.console import PlainConsole

    # Bound to this stream: a converter whose output is swallowed must not swallow ours.
    return PlainConsole(file=sys.stdout, width=None if sys.stdout.isatty() else LOG_WIDTH)
