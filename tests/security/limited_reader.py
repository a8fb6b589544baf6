"""Read files in another process, whose time and memory are limited and its actions watched."""

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

LINUX = sys.platform == "linux"
ADDRESSES = 2 << 30
"""Bytes of address space that the process may take beside its libraries."""
FORBIDDEN = (
    *("os.system", "os.exec", "os.posix_spawn", "os.fork", "os.remove", "os.rename", "os.mkdir"),
    *("subprocess.Popen", "pickle.find_class", "socket.connect", "ctypes.dlopen", "shutil.rmtree"),
)
WRITING = frozenset("wax+")


@dataclass(frozen=True)
class Reading:
    """Say how a file was read.

    sentence   of its refusal, "" for none
    seconds    of the processor
    memory     bytes at the peak, beyond what the process had before
    """

    sentence: str
    seconds: float
    memory: int


class Reader:
    """Run `read` on one file after the other in one process, until a file ends it."""

    def __init__(self, read: Callable[[Path], None]) -> None:
        self._read = read
        self._process: multiprocessing.process.BaseProcess | None = None

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def read(self, path: Path, seconds: float = 60.0) -> Reading:
        """Return how a file was read; AssertionError for whatever is no result and no refusal."""
        if self._process is None:
            self._start()
        self._pipe.send(path)
        if not self._pipe.poll(seconds):
            self._end()
            raise AssertionError(f"{path.name} takes more than {seconds:.0f} s")
        try:
            found = self._pipe.recv()
        except EOFError:
            self._end()
            raise AssertionError(f"{path.name} ended the process") from None
        if isinstance(found, str):
            raise AssertionError(f"{path.name}: {found}")
        return found

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(self._read, other), daemon=True)
        self._process.start()
        other.close()
        assert self._pipe.poll(120), "the process does not start"
        self._pipe.recv()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._pipe.close()
            self._process = None


def _serve(read: Callable[[Path], None], pipe: Connection) -> None:
    import models.torchvision_shim  # noqa: I001
    from models.errors import InputError
    import models.load  # noqa: F401

    done: list[str] = []
    sys.addaudithook(lambda event, arguments: _watch(event, arguments, done))
    if LINUX:
        resource.setrlimit(resource.RLIMIT_AS, (_status("VmSize") + ADDRESSES,) * 2)
    pipe.send("ready")
    while True:
        path = pipe.recv()
        if LINUX:
            Path("/proc/self/clear_refs").write_text("5")  # the peak is measured anew
        done.clear()
        before, started, sentence = _status("VmRSS"), time.process_time(), ""
        try:
            read(path)
        except InputError as error:
            sentence = str(error)
        except BaseException as error:  # whatever a file may provoke
            pipe.send(f"{type(error).__name__}: {error}"[:500])
            continue
        if done:
            pipe.send(f"it ran {done[:3]}")
            continue
        memory = _status("VmHWM") - before
        pipe.send(Reading(sentence, time.process_time() - started, memory))


def _watch(event: str, arguments: tuple[object, ...], done: list[str]) -> None:
    writes = event == "open" and isinstance(arguments[1], str) and WRITING & set(arguments[1])
    if writes or event in FORBIDDEN:
        done.append(f"{event} {arguments[:1]}"[:200])


def _status(field: str) -> int:
    """Return a figure of this process in bytes, as Linux tells it; 0 elsewhere."""
    if not LINUX:
        return 0
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f"{field}:"))
    return 1024 * int(line.split()[1])
