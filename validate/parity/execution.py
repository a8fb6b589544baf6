"""A file in its runtime; whatever goes wrong there is a verdict on the file."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from export.bundle import Bundle
from models.common.text import first_line
from validate.images.reading import Picture
from validate.runtimes import (
    BatchRuntime,
    MalformedOutput,
    Opener,
    OutOfScope,
    Outputs,
    RefusedFile,
    Runtime,
)


@dataclass(frozen=True)
class RunFailure:
    """Say why an artifact does not run; `out_of_scope` where the runtime lacks what it needs."""

    reason: str
    out_of_scope: bool = False


class Execution:
    """Load a file when the first picture comes, and run it.

    `milliseconds` are those of the pictures that were run alone. Each way to run returns a
    RunFailure in place of raising anything but RefusedFile.
    """

    def __init__(self, opener: Opener, path: Path, bundle: Bundle):
        self.milliseconds: list[float] = []
        self._folder = path.parent
        self._open: Callable[[], Runtime] = partial(opener.open, path, bundle)
        self._runtime: Runtime | None = None

    def run(self, name: str, image: Picture) -> Outputs | RunFailure:
        """Return logits and mask of `image (H, W, C)`, which `name` stands for in a failure."""

        def run(runtime: Runtime) -> list[Outputs]:
            started = time.perf_counter()
            outputs = runtime.run(image)
            self.milliseconds.append((time.perf_counter() - started) * 1000)
            return [outputs]

        made = self._made(name, run)
        return made if isinstance(made, RunFailure) else made[0]

    def run_batch(self, name: str, images: Sequence[Picture]) -> list[Outputs] | RunFailure:
        """Return logits and mask of each of `images`, run at once."""

        def run(runtime: Runtime) -> list[Outputs]:
            if not isinstance(runtime, BatchRuntime):
                raise TypeError(f"{type(runtime).__name__} takes one picture at a time")
            return runtime.run_batch(images)

        return self._made(name, run)

    def state(self) -> str | None:
        """Return what makes its results depend on earlier calls; None where nothing is known."""
        return self._runtime.state() if isinstance(self._runtime, BatchRuntime) else None

    def close(self) -> None:
        """Let go of the loaded file."""
        self._runtime = None

    def _made(
        self, name: str, run: Callable[[Runtime], list[Outputs]]
    ) -> list[Outputs] | RunFailure:
        step = "does not load"
        try:
            self._runtime = self._runtime or self._open()
            step = f"does not run on {name}"
            outputs = run(self._runtime)
        except RefusedFile:
            raise
        except MalformedOutput as error:
            return RunFailure(f"on {name}, {error}")
        except OutOfScope as error:
            return RunFailure(self._reason(error), out_of_scope=True)
        except Exception as error:
            return RunFailure(f"it {step}: {self._reason(error)}")
        logits = [each.logits for each in outputs]
        bad = sum(int((~np.isfinite(each)).sum()) for each in logits)
        if bad:
            share = bad / sum(each.size for each in logits)
            return RunFailure(f"{100 * share:.1f} % of its logits on {name} are NaN or infinite")
        return outputs

    def _reason(self, error: Exception) -> str:
        """Return an error's first line, without the folders that reports are not to name."""
        text = first_line(error, 300).rstrip(".")
        for folder in (self._folder.absolute(), self._folder.resolve(), self._folder):
            text = text.replace(f"{folder}/", "")
        return text
