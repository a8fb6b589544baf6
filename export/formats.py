"""Write every format that was asked for, each from the one deployable module."""

import contextlib
import gc
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from export.bundle import Artifact, Compression, Pin, describe_files
from export.bundle_consistency import SMALL, file_name
from export.compression.forms import FORMS
from export.metadata import FIXED_BATCH, Description, compressed, metadata
from export.settings import Settings, checked_formats
from export.subprocess_writer import beside
from export.to_coreml import (
    FLOAT16,
    Arithmetic,
    ConversionError,
    write_mlprogram,
    write_neuralnetwork,
)
from export.to_torchscript import write_torchscript
from export.tracing import takes_batches, trace, trace_single_image
from models.deployable import Deployable

Stage = Callable[[str], AbstractContextManager[None]]
STAGE = {
    "torchscript": "Writing TorchScript",
    "mlprogram": "Converting to Core ML (mlprogram)",
    "neuralnetwork": "Converting to Core ML (NeuralNetwork)",
    "onnx": "Exporting to ONNX",
    SMALL: "Compressing the mlprogram",
}


@dataclass(frozen=True)
class Job:
    """Hold what all writers work from."""

    folder: Path
    name: str
    settings: Settings
    description: Description
    deployable: Deployable

    @property
    def metadata(self) -> dict[str, str]:
        """Return what every file says of itself."""
        return metadata(self.description)

    def path(self, key: str) -> Path:
        """Return where the file goes that is chosen by `key`, a format or "small"."""
        return self.folder / file_name(self.name, key)


Meanwhile = Callable[[Job], Iterator[None]]


@dataclass(frozen=True)
class Written:
    """Hold what a writer tells of its file, for the `Artifact`."""

    precision: str
    target: str
    notes: tuple[str, ...] = ()
    pins: tuple[Pin, ...] = ()
    compression: Compression | None = None


def write_formats(
    job: Job, stage: Stage, meanwhile: Meanwhile
) -> tuple[tuple[Artifact, ...], tuple[str, ...]]:
    """Write all formats that were asked for; return the artifacts and conversion notes.

    While another process still writes, the steps of `meanwhile` are taken, one after the other.
    Where the mlprogram cannot be made, the NeuralNetwork backend writes `.mlmodel` and a note
    says why. Raises SegportError when a format cannot be written at all.
    """
    formats, replaced = checked_formats(job.settings.formats, job.settings.target)
    notes = [replaced] if replaced else []
    if formats == ("onnx",):
        with stage(STAGE["onnx"]):
            return (_write(job, "onnx", _onnx),), tuple(notes)
    artifacts = []
    with contextlib.ExitStack() as running:
        if "onnx" in formats:  # it takes as long as all the others together
            onnx = running.enter_context(beside(lambda: _write(job, "onnx", _onnx)))
        with stage("Tracing"):
            traced = trace(job.deployable, job.description.contract)
        for format in formats:
            with stage(STAGE[format]):
                if format == "onnx":
                    any(onnx.ended for _ in meanwhile(job))
                    artifacts.append(onnx.result())
                    continue
                artifact, note = _write_or_fall_back(job, traced, format, formats)
            artifacts += [artifact] if artifact else []
            notes += [note] if note else []
            if artifact and artifact.format == "mlprogram" and job.settings.compress:
                with stage(STAGE[SMALL]):
                    artifacts.append(write_small(job, artifact))
    return tuple(artifacts), tuple(notes)


def _write_or_fall_back(
    job: Job, traced: torch.jit.ScriptModule, format: str, formats: tuple[str, ...]
) -> tuple[Artifact | None, str | None]:
    try:
        return _write(job, format, partial(WRITERS[format], traced)), None
    except ConversionError as error:
        if format != "mlprogram" or job.settings.compress:  # only an mlprogram can be compressed
            raise
        note = (
            f"The mlprogram conversion failed ({error.reason}); the NeuralNetwork backend wrote "
            ".mlmodel instead."
        )
        if "neuralnetwork" in formats:
            return None, note
        return _write(job, "neuralnetwork", partial(_neuralnetwork, traced)), note


def rewrite_mlprogram(job: Job, single: torch.jit.ScriptModule, arithmetic: Arithmetic) -> Artifact:
    """Write the mlprogram again, in another arithmetic, in the place of the one that is there."""
    shutil.rmtree(job.path("mlprogram"), ignore_errors=True)
    return _write(job, "mlprogram", lambda job: _program(single, job, arithmetic))


def write_small(job: Job, plain: Artifact) -> Artifact:
    """Write the mlprogram again as `settings.compress` says, from the `plain` one that is there."""
    shutil.rmtree(job.path(SMALL), ignore_errors=True)
    return _write(job, SMALL, partial(_small, plain))


def _write(job: Job, key: str, writer: Callable[[Job], Written]) -> Artifact:
    started = time.perf_counter()
    written = writer(job)
    gc.collect()  # converters leave circles of objects behind, which hold the weights
    path = job.path(key)
    return Artifact(
        format="mlprogram" if key == SMALL else key,
        path=path.name,
        precision=written.precision,
        target=written.target,
        files=describe_files(job.folder, path.name),
        seconds=round(time.perf_counter() - started, 3),
        notes=written.notes,
        pins=written.pins,
        compression=written.compression,
    )


def _torchscript(traced: torch.jit.ScriptModule, job: Job) -> Written:
    path = job.path("torchscript")
    write_torchscript(traced, path, job.metadata)
    any_batch = takes_batches(traced, job.description.contract)
    notes = () if any_batch else (_one_picture(path),)
    return Written("float32", f"torch {torch.__version__.split('+')[0]}", notes)


def _mlprogram(traced: torch.jit.ScriptModule, job: Job) -> Written:
    single = trace_single_image(traced, job.description.contract)
    return _program(single, job, FLOAT16)


def _program(single: torch.jit.ScriptModule, job: Job, arithmetic: Arithmetic) -> Written:
    path, target = job.path("mlprogram"), job.settings.target
    write_mlprogram(single, path, target, job.description, job.metadata, arithmetic)
    return Written(arithmetic.precision, target, pins=arithmetic.pins)


def _small(plain: Artifact, job: Job) -> Written:
    from export.compression.write import write_compressed

    settings = job.settings
    form = FORMS[settings.compress or ""]
    compression = Compression(form.name, settings.min_iou)
    facts = compressed(compression)
    write_compressed(job.path("mlprogram"), job.path(SMALL), form, settings.target, facts)
    return Written(plain.precision, settings.target, pins=plain.pins, compression=compression)


def _neuralnetwork(traced: torch.jit.ScriptModule, job: Job) -> Written:
    single = trace_single_image(traced, job.description.contract)
    path, target = job.path("neuralnetwork"), job.settings.target
    target = write_neuralnetwork(single, path, target, job.description, job.metadata)
    return Written("float32", target)


def _onnx(job: Job) -> Written:
    from export.to_onnx import write_onnx

    path = job.path("onnx")
    opset, any_batch = write_onnx(job.deployable, job.description.contract, path, job.metadata)
    note = _one_picture(path)
    return Written("float32", f"opset {opset}", () if any_batch else (note,))


WRITERS: Mapping[str, Callable[[torch.jit.ScriptModule, Job], Written]] = {
    "torchscript": _torchscript,
    "mlprogram": _mlprogram,
    "neuralnetwork": _neuralnetwork,
}


def _one_picture(path: Path) -> str:
    return f"{path.name} {FIXED_BATCH}, for the network's code fixes the batch."
