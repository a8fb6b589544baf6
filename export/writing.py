"""Writes every format that was asked for, each from the one deployable module."""

import contextlib
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from export.beside import beside
from export.bundle import Artifact, describe_files
from export.metadata import Description, metadata
from export.settings import Settings, checked_formats
from export.to_coreml import ConversionError, write_mlprogram, write_neuralnetwork
from export.to_torchscript import write_torchscript
from export.tracing import trace, trace_single_image
from models.deployable import Deployable

Stage = Callable[[str], AbstractContextManager[None]]
SUFFIX = {
    "torchscript": ".torchscript.pt",
    "mlprogram": ".mlpackage",
    "neuralnetwork": ".mlmodel",
    "onnx": ".onnx",
}
STAGE = {
    "torchscript": "Writing TorchScript",
    "mlprogram": "Converting to Core ML (mlprogram)",
    "neuralnetwork": "Converting to Core ML (NeuralNetwork)",
    "onnx": "Exporting to ONNX",
}


@dataclass(frozen=True)
class Job:
    """What all writers work from."""

    folder: Path
    name: str
    settings: Settings
    description: Description
    deployable: Deployable
    metadata: Mapping[str, str]

    def path(self, format: str) -> Path:
        """Where the file of `format` goes."""
        return self.folder / (self.name + SUFFIX[format])


def write_formats(
    deployable: Deployable,
    folder: Path,
    name: str,
    settings: Settings,
    description: Description,
    stage: Stage,
) -> tuple[tuple[Artifact, ...], tuple[str, ...]]:
    """Write all formats of `settings` into `folder`; returns the artifacts and conversion notes.

    Where the mlprogram cannot be made, the NeuralNetwork backend writes `.mlmodel` and a note
    says why. Raises SegportError when a format cannot be written at all.
    """
    formats, replaced = checked_formats(settings.formats, settings.target)
    notes = [replaced] if replaced else []
    job = Job(folder, name, settings, description, deployable, metadata(description))
    if formats == ("onnx",):
        with stage(STAGE["onnx"]):
            return (_write(job, "onnx", _onnx),), tuple(notes)
    artifacts = []
    with contextlib.ExitStack() as running:
        if "onnx" in formats:  # it takes as long as all the others together
            onnx = running.enter_context(beside(lambda: _write(job, "onnx", _onnx)))
        with stage("Tracing"):
            traced = trace(deployable, description.contract)
        for format in formats:
            with stage(STAGE[format]):
                if format == "onnx":
                    artifacts.append(onnx.result())
                    continue
                artifact, note = _write_or_fall_back(job, traced, format, formats)
            artifacts += [artifact] if artifact else []
            notes += [note] if note else []
    return tuple(artifacts), tuple(notes)


def _write_or_fall_back(
    job: Job, traced: torch.jit.ScriptModule, format: str, formats: tuple[str, ...]
) -> tuple[Artifact | None, str | None]:
    try:
        return _write(job, format, partial(WRITERS[format], traced)), None
    except ConversionError as error:
        if format != "mlprogram":
            raise
        note = (
            f"The mlprogram conversion failed ({error}); the NeuralNetwork backend wrote "
            ".mlmodel instead."
        )
        if "neuralnetwork" in formats:
            return None, note
        return _write(job, "neuralnetwork", partial(_neuralnetwork, traced)), note


def _write(job: Job, format: str, writer: Callable[[Job], tuple[str, str]]) -> Artifact:
    started = time.perf_counter()
    precision, target = writer(job)
    path = job.path(format)
    return Artifact(
        format=format,
        path=path.name,
        precision=precision,
        target=target,
        files=describe_files(job.folder, path.name),
        seconds=round(time.perf_counter() - started, 3),
    )


def _torchscript(traced: torch.jit.ScriptModule, job: Job) -> tuple[str, str]:
    write_torchscript(traced, job.path("torchscript"), job.metadata)
    return "float32", f"torch {torch.__version__.split('+')[0]}"


def _mlprogram(traced: torch.jit.ScriptModule, job: Job) -> tuple[str, str]:
    single = trace_single_image(traced, job.description.contract)
    target = job.settings.target
    write_mlprogram(single, job.path("mlprogram"), target, job.description, job.metadata)
    return "float16", target


def _neuralnetwork(traced: torch.jit.ScriptModule, job: Job) -> tuple[str, str]:
    single = trace_single_image(traced, job.description.contract)
    path, target = job.path("neuralnetwork"), job.settings.target
    target = write_neuralnetwork(single, path, target, job.description, job.metadata)
    return "float32", target


def _onnx(job: Job) -> tuple[str, str]:
    from export.to_onnx import write_onnx

    opset = write_onnx(job.deployable, job.description.contract, job.path("onnx"), job.metadata)
    return "float32", f"opset {opset}"


WRITERS: Mapping[str, Callable[[torch.jit.ScriptModule, Job], tuple[str, str]]] = {
    "torchscript": _torchscript,
    "mlprogram": _mlprogram,
    "neuralnetwork": _neuralnetwork,
}
