"""Write an mlprogram again, with what float16 does not suit in float32."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from export.bundle import Bundle, write_bundle
from export.formats import Job, rewrite_mlprogram, write_small
from export.to_coreml import FLOAT32, Arithmetic, write_mlprogram
from export.tracing import trace, trace_single_image
from models.common.cli import Stages


@dataclass(frozen=True)
class ProgramRepair:
    """Hold what the mlprogram of `bundle` is written again from: `single`, a trace of one image."""

    bundle: Bundle
    job: Job
    stages: Stages
    single: torch.jit.ScriptModule

    @contextmanager
    def programs(self) -> Iterator[tuple[Path, Path]]:
        """Give the float16 program and, for as long as the block runs, a float32 one."""
        job = self.job
        with tempfile.TemporaryDirectory(prefix=".", dir=job.folder) as place:
            full = Path(place) / "float32.mlpackage"
            with self.stages("Converting to Core ML (float32)"):
                target, facts = job.settings.target, job.metadata
                write_mlprogram(self.single, full, target, job.description, facts, FLOAT32)
            yield job.path("mlprogram"), full

    def written(self, arithmetic: Arithmetic, note: str) -> Bundle:
        """Write the mlprogram in `arithmetic`; return the bundle that says so, with `note`."""
        with self.stages("Converting to Core ML again"):
            written = [rewrite_mlprogram(self.job, self.single, arithmetic)]
            if self.job.settings.compress:
                written.append(write_small(self.job, written[0]))
        artifacts = {each.path: each for each in (*self.bundle.artifacts, *written)}
        notes = (*self.bundle.notes, note)
        repaired = replace(self.bundle, artifacts=tuple(artifacts.values()), notes=notes)
        write_bundle(repaired, self.job.folder)
        return repaired


def program_repair(bundle: Bundle, job: Job, stages: Stages) -> ProgramRepair:
    """Trace the network of `job` again, to repair the mlprogram of `bundle`."""
    contract = job.description.contract
    with stages("Tracing again"):
        single = trace_single_image(trace(job.deployable, contract), contract)
    return ProgramRepair(bundle, job, stages, single)
