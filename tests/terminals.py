"""Run a command in a terminal of some width, and read what then stands on its screen."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ESCAPE = re.compile(r"\x1b\[([\d;?]*)([A-Za-z])")
COLOUR = re.compile(r"\x1b\[(\d+;)*(3|4|9|10)\d")
"""A colour of text or ground, which NO_COLOR does away with; bold may stay."""


def in_terminal(words: Sequence[object], columns: int, **environment: str) -> tuple[int, str]:
    """Run `segport` with `words` in a terminal; return its exit code and all that it wrote."""
    primary, secondary = pty.openpty()
    fcntl.ioctl(secondary, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    kept = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "segport", *map(str, words)],
        cwd=ROOT,
        stdin=secondary,
        stdout=secondary,
        stderr=secondary,
        env={**kept, "TERM": "xterm-256color", **environment},
    )
    os.close(secondary)
    written = b"".join(iter(lambda: _read(primary), b""))
    os.close(primary)
    return process.wait(), written.decode("utf-8").replace("\r\n", "\n")


def _read(primary: int) -> bytes:
    try:
        return os.read(primary, 1 << 16)
    except OSError:  # how Linux says that nobody writes any more
        return b""


def screen(written: str) -> list[str]:
    """Return the lines that stand on a terminal when all was written: none is wrapped."""
    lines, row, column, place = [""], 0, 0, 0
    while place < len(written):
        if found := ESCAPE.match(written, place):
            place = found.end()
            if found[2] == "A":
                row = max(0, row - int(found[1] or 1))
            elif found[2] == "K":
                lines[row] = ""
            continue
        character, place = written[place], place + 1
        if character == "\r":
            column = 0
        elif character == "\n":
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        else:
            line = lines[row].ljust(column)
            lines[row] = line[:column] + character + line[column + 1 :]
            column += 1
    return [line.rstrip() for line in lines]


def broken_by_the_terminal(lines: list[str], columns: int) -> list[str]:
    """Return the lines that are too long, but for those of a title and one word, as a path."""
    return [line for line in lines if len(line) > columns and len(line.split(": ")[-1].split()) > 1]
