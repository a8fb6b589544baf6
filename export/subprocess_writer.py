"""Run one writer in a process of its own, beside the others, where the system can fork.

Exporting to ONNX takes as long as everything else together, and both are bound by one core.
A forked process has the network in memory already and shares its pages; it has a core to itself
while it runs. Where forking is not safe (macOS, whose frameworks do not survive it) the work is
done in place, when it is asked for.
"""

import ctypes
import gc
import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Generic, TypeVar

import torch

from models.errors import SegportError

T = TypeVar("T")
CAN_FORK = sys.platform == "linux"
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux's prctl


class Beside(Generic[T]):
    """Run work that may already be under way: `result()` waits for it, or does it now."""

    def __init__(self, work: Callable[[], T]):
        self._work = work
        self._process: multiprocessing.process.BaseProcess | None = None
        self._threads = torch.get_num_threads()

    def start(self) -> None:
        """Fork, if that is possible here, and leave the process a core of its own."""
        if not CAN_FORK:
            return
        context = multiprocessing.get_context("fork")
        self._receiver, sender = context.Pipe(duplex=False)
        self._process = context.Process(target=_send_result, args=(self._work, sender))
        gc.freeze()  # or a collection in either process would write to every page that both share
        self._process.start()
        sender.close()
        torch.set_num_threads(max(1, self._threads - 1))

    @property
    def ended(self) -> bool:
        """Return whether nothing is done any more beside this process."""
        return self._process is None or self._receiver.poll()

    def result(self) -> T:
        """Return what the work returned; raise what it raised."""
        if self._process is None:
            return self._work()
        try:
            value, error = self._receiver.recv()
        except EOFError:
            self._process.join()
            raise SegportError(
                f"A converter's process ended without a word (exit code {self._process.exitcode}); "
                "it may have run out of memory."
            ) from None
        self._process.join()
        torch.set_num_threads(self._threads)
        if error is not None:
            raise error
        return value  # type: ignore[no-any-return]

    def stop(self) -> None:
        """End the process if it still runs, so that nothing writes after its place is gone."""
        if self._process is None:
            return
        torch.set_num_threads(self._threads)
        gc.unfreeze()
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


@contextmanager
def beside(work: Callable[[], T]) -> Iterator[Beside[T]]:
    """Begin `work` beside the block; it never outlives it."""
    running = Beside(work)
    running.start()
    try:
        yield running
    finally:
        running.stop()


def _send_result(work: Callable[[], T], sender: Connection) -> None:
    # Ctrl-C reaches every process of the terminal; the parent ends this one, even by its own death.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    # The parent's pool of OpenMP threads does not exist here, and waiting for it would hang.
    torch.set_num_threads(1)
    try:
        sender.send((work(), None))
    except SegportError as error:
        sender.send((None, error))
    except Exception as error:
        # The exception itself may not travel between processes; its text does.
        sender.send((None, RuntimeError(f"{type(error).__name__}: {error}")))
