"""Runs a command and measures its wall time and the peak memory of all its processes."""

import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

INTERVAL = 0.05  # seconds between two looks at the memory


@dataclass(frozen=True)
class Run:
    """One run of a command: seconds, bytes, and what it printed."""

    seconds: float
    peak: int
    output: str


def run(command: Sequence[str]) -> Run:
    """Run `command` to its end.

    The peak is the largest sum, over the process and its children at one moment, of the
    proportional set size: memory that processes share is counted once. Where the system does
    not tell it (macOS), the resident set size stands in.
    """
    with tempfile.TemporaryFile("w+") as log:  # a pipe that nobody reads would fill up and stall
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        peak = 0
        while process.poll() is None:
            peak = max(peak, _memory(process.pid))
            time.sleep(INTERVAL)
        seconds = time.perf_counter() - started
        log.seek(0)
        output = log.read()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{output}")
    return Run(seconds, peak, output)


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
