"""`segport`, or `python -m segport`: take a trained segmentation checkpoint to the phone."""

import atexit
import gc
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

import click

from models.common.cli import CONTEXT, run
from segport import __version__

COMMANDS = ("export", "validate", "predict", "inspect", "demo", "ios-demo", "device-report")
SPINS = "10000"
"""Limit of how often an OpenMP thread asks for work before it sleeps.

Without one it keeps a core busy that another process needs: beside two of those on two cores, a
picture takes PyTorch 428 ms, and 232 with it; on a quiet machine about 100 with and without.
"""


COLLECTED_EVERY = 100_000, 50, 100
"""Thresholds of Python's garbage collector: converters make millions of objects that stay, and
looking through them again and again is a fifth of their time."""


class Commands(click.Group):
    """Import a command's module when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of all commands, in the order of a user's way."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"segport.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        command.context_settings = CONTEXT
        return command


@click.group(cls=Commands, context_settings=CONTEXT)
@click.version_option(__version__)
def group() -> None:
    """Take a trained segmentation checkpoint to the phone, with proof.

    Exit codes: 0 success, 1 parity failed, 2 bad input, 130 stopped by Ctrl-C.
    """


def main() -> NoReturn:
    """Run the command line and leave the process with its exit code."""
    gc.set_threshold(*COLLECTED_EVERY)
    # Read when torch loads its OpenMP; a user's own setting wins.
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
    try:
        run(group, "segport")
    except SystemExit as ended:
        _leave(ended.code if isinstance(ended.code, int) else 0)


def _leave(code: int) -> NoReturn:
    """End the process without taking apart what is in memory, which takes a second."""
    try:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
