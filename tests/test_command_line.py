"""Exit codes, one-sentence errors, interruptions, and help that imports only what it uses."""

import errno
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import click
import pytest
from rich.console import Console
from small_networks import ROOT

from models.common import cli
from models.common.cli import Stages, run
from models.errors import InputError, ValidationFailed


@pytest.fixture(autouse=True)
def handlers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the process its own signal handlers back, and its argv."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr(sys, "argv", ["segport"])
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    cli._stopped.clear()


def code_of(error: BaseException | None) -> int:
    @click.command()
    def command() -> None:
        if error is not None:
            raise error

    with pytest.raises(SystemExit) as ended:
        run(command, "segport")
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (ValidationFailed("no"), 1),
        (InputError("x.pt is empty."), 2),
        (click.UsageError("odd"), 2),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("oh"), 70),
        (PermissionError(errno.EACCES, "Permission denied", "locked/x.pt"), 2),
        (OSError(errno.ENAMETOOLONG, "File name too long", "x" * 300), 2),
        (FileNotFoundError(errno.ENOENT, "No such file", "of our own"), 70),
    ],
)
def test_exit_codes(
    error: BaseException | None, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of(error) == code
    assert "Traceback" not in capsys.readouterr().err


def test_an_error_of_our_own_names_how_to_report_it(capsys: pytest.CaptureFixture[str]) -> None:
    code_of(ZeroDivisionError("oh"))
    assert "ZeroDivisionError: oh" in (told := capsys.readouterr().err)
    assert "SEGPORT_TRACEBACK=1" in told


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_even_where_a_library_swallows_it(number: int) -> None:
    went_on = []

    @click.command()
    def command() -> None:
        stages = Stages(Console(file=io.StringIO()))
        with stages("Converting"):
            try:
                os.kill(os.getpid(), number)
                time.sleep(5)
            except BaseException:  # what a careless library does
                went_on.append("library")
        went_on.append("next stage")

    with pytest.raises(SystemExit) as ended:
        run(command, "segport")
    assert ended.value.code == 130
    assert went_on == ["library"]


def test_stages_are_plain_lines_off_a_terminal() -> None:
    stages = Stages(Console(file=(written := io.StringIO()), width=100))
    with stages("Tracing"):
        pass
    with stages.counted("Checking parity") as progress:
        progress("PyTorch", 1, 2)
    lines = written.getvalue().splitlines()
    assert [line.split("  ")[0] for line in lines] == ["✓ Tracing", "✓ Checking parity"]
    assert set(stages.timings) == {"Tracing", "Checking parity"}


def test_a_name_is_shown_and_never_obeyed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = "\x1b[31m[red]car\u202egpj"
    code_of(InputError(f"{hostile} is empty."))
    assert capsys.readouterr().err == r"Error: \x1b[31m[red]car\u202egpj is empty." + "\n"
    console = cli.console()
    console.print(hostile, markup=False)
    Stages(console).tell(hostile)
    monkeypatch.setattr(cli, "LINE_EVERY", 0)
    with Stages(console).counted("Painting") as progress:
        progress(hostile, 1, 2)
    told = capsys.readouterr().out.splitlines()
    shown = r"\x1b[31m[red]car\u202egpj"
    assert told[:3] == [shown, f"  {shown}", f"  Painting: {shown}, 1 of 2"]


def test_an_encoding_that_lacks_a_character_gets_it_written_out() -> None:
    script = (
        "import click; from models.common.cli import run, console\n"
        "@click.command()\ndef say(): console().print('\u2713 caf\\udcff')\nrun(say, 'x')"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, check=True
    )
    assert done.stdout == b"\\u2713 caf\\udcff\n"
