"""Measure a command: its wall time, or the peak memory of all its processes.

Never both at once: telling what processes share is work for the system, which holds them up.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

BUSY = "while True: pass"
INTERVAL = 0.05  # seconds between two looks at the memory


@dataclass(frozen=True)
class Run:
    """Hold the seconds that a command took, and what it printed."""

    seconds: float
    output: str


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep so many processes busy beside the block."""
    running = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def run(command: Sequence[str], *, code: int | None = 0) -> Run:
    """Run `command` to its end, undisturbed.

    Raises RuntimeError where it ends with another exit code than `code`, unless that is None.
    """
    started = time.perf_counter()
    output = _ended(command, lambda process: process.wait(), code)
    return Run(time.perf_counter() - started, output)


def peak_memory(command: Sequence[str], *, code: int | None = 0) -> int:
    """Return the bytes that `command` and its children had at most.

    That is the largest sum, over the process and its children at one moment, of the proportional
    set size: memory that processes share is counted once. Where the system does not tell it
    (macOS), the resident set size stands in. Raises RuntimeError as `run` does.
    """
    peaks = [0]

    def watch(process: subprocess.Popen[bytes]) -> None:
        while process.poll() is None:
            peaks.append(_memory(process.pid))
            time.sleep(INTERVAL)

    _ended(command, watch, code)
    return max(peaks)


def _ended(
    command: Sequence[str],
    until_its_end: Callable[[subprocess.Popen[bytes]], object],
    code: int | None = 0,
) -> str:
    with tempfile.TemporaryFile("w+") as log:  # a pipe that nobody reads would fill up and stall
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        until_its_end(process)
        log.seek(0)
        output = log.read()
    if code is not None and process.returncode != code:
        raise RuntimeError(f"{' '.join(command)} failed:\n{output}")
    return output


def _memory(pid: int) -> int:
    try:
        parent = psutil.Process(pid)
        return sum(_own(process) for process in (parent, *parent.children(recursive=True)))
    except psutil.Error:  # it has just ended
        return 0


def _own(process: psutil.Process) -> int:
    try:
        memory = process.memory_full_info()
    except psutil.Error:
        return 0
    return int(getattr(memory, "pss", memory.rss))
