"""Where float16 does not suit a network: what needs it stays in float32, and the bundle says so.

float16 mlprogram fails, all other files pass
  -> the guard names the smallest set of operations that must stay in float32 (the pins)
  -> the mlprogram is written again with them, and the bundle judged again
  -> only where that does not help: a float32 program, judged like the others
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import torch

from export.bundle import Artifact, Bundle, Pin, write_bundle
from export.coreml_names import CoreMLNames
from export.formats import Job, rewrite_mlprogram
from export.to_coreml import FLOAT32, Arithmetic, write_mlprogram
from export.tracing import trace, trace_single_image
from models.common.cli import Stages
from models.common.text import counted
from models.deployable import Deployable, name_of

TOLD = 12
# Whether the bundle in a folder computes what the network computes; leaves its results there.
Judge = Callable[[Bundle, Path, Deployable], bool]
# The PyTorch module that an operation of the program comes from, where that is known.
ModuleOf = Callable[[str], str | None]


class Guard(Protocol):
    """Finds what float16 cannot hold in the bundle that was judged last."""

    def suspects(self, artifact: Artifact) -> bool:
        """Whether this float16 artifact failed, and nothing else did."""
        ...

    def pins(
        self,
        bundle: Bundle,
        programs: tuple[Path, Path],
        deployable: Deployable,
        module_of: ModuleOf,
    ) -> tuple[Pin, ...]:
        """The operations that have to stay in float32; none where no choice of them helps.

        `programs` are the network's float16 and its float32 mlprogram.
        """
        ...


def mended(bundle: Bundle, job: Job, judge: Judge, guard: Guard, stages: Stages) -> Bundle | None:
    """The bundle with an mlprogram that passes, written and judged; None where there is none."""
    failed = next((each for each in bundle.artifacts if _may_be_mended(each, guard)), None)
    if failed is None:
        return None
    stages.tell(f"Only {failed.path} failed: what float16 cannot hold in it is looked for now.")
    with stages("Tracing again"):
        traced = trace(job.deployable, job.description.contract)
        single = trace_single_image(traced, job.description.contract)
    again = _Again(bundle, job, judge, stages, single)
    pins = again.pins(guard)
    if pins:
        _tell(pins, failed, stages)
        count = counted(len(pins), "operation")
        note = f"{failed.path}: float16 alone fails, so {count} of it stay in float32."
        better = again.written(Arithmetic("float16", pins), note)
        if better is not None:
            return better
    stages.tell(f"{failed.path}: no choice of operations helps, so all of it stays in float32.")
    return again.written(FLOAT32, f"{failed.path}: float16 fails, so it is a float32 program.")


def modules_of(single: torch.jit.ScriptModule) -> ModuleOf:
    """From an operation's name to its module in the network that was traced."""
    names = CoreMLNames(single)

    def module_of(operation: str) -> str | None:
        found = names.find(operation)
        return name_of(found.module) or None if found else None

    return module_of


def _may_be_mended(artifact: Artifact, guard: Guard) -> bool:
    rounded = artifact.format == "mlprogram" and artifact.precision == "float16"
    return rounded and guard.suspects(artifact)


@dataclass(frozen=True)
class _Again:
    """What the mlprogram is written again from: the trace for a `single` image, above all."""

    bundle: Bundle
    job: Job
    judge: Judge
    stages: Stages
    single: torch.jit.ScriptModule

    def pins(self, guard: Guard) -> tuple[Pin, ...]:
        """What the guard finds in the file that failed, beside a float32 one."""
        job = self.job
        with tempfile.TemporaryDirectory(prefix=".", dir=job.folder) as beside:
            full = Path(beside) / "float32.mlpackage"
            with self.stages("Converting to Core ML (float32)"):
                target, facts = job.settings.target, job.metadata
                write_mlprogram(self.single, full, target, job.description, facts, FLOAT32)
            with self.stages("Finding what float16 cannot hold"):
                programs = (job.path("mlprogram"), full)
                module_of = modules_of(self.single)
                return guard.pins(self.bundle, programs, job.deployable, module_of)

    def written(self, arithmetic: Arithmetic, note: str) -> Bundle | None:
        """The bundle with an mlprogram of that arithmetic; None where this fails too."""
        with self.stages("Converting to Core ML again"):
            artifact = rewrite_mlprogram(self.job, self.single, arithmetic)
        artifacts = {each.path: each for each in self.bundle.artifacts} | {artifact.path: artifact}
        notes = (*self.bundle.notes, note)
        better = replace(self.bundle, artifacts=tuple(artifacts.values()), notes=notes)
        write_bundle(better, self.job.folder)
        return better if self.judge(better, self.job.folder, self.job.deployable) else None


def _tell(pins: tuple[Pin, ...], artifact: Artifact, stages: Stages) -> None:
    count = counted(len(pins), "operation")
    stages.tell(f"{artifact.path}: float16 does not suit {count}; kept in float32:")
    for pin in pins[:TOLD]:
        stages.tell(f"  {pin.title}: {pin.reason}")
    if len(pins) > TOLD:
        stages.tell(f"  and {len(pins) - TOLD} more, which bundle.json names")
