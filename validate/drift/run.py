"""Follow every file of a bundle, and finds the first operation of each that departs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from export.bundle import Artifact, Bundle, read_bundle
from models.deployable import Deployable, name_of
from models.errors import SegportError
from validate.drift.cause import cause_of
from validate.drift.compare import Followed, follow
from validate.drift.open_file import TorchGraphs
from validate.drift.weights import weight_differences
from validate.images.samples import Sample, Source, find_samples
from validate.results.drift import Departure, Drift
from validate.results.parity import Report

FOLLOWED = ("mlprogram", "neuralnetwork", "onnx")


def can_follow(report: Report) -> bool:
    """Tell whether a file that failed could be run, so that following it may say where."""
    return any(
        each.status == "failed"
        and each.worst is not None
        and each.format in FOLLOWED
        and each.quality is None
        for each in report.results
    )


def with_drift(
    report: Report, folder: Path, deployable: Deployable, samples: Source = None
) -> Report:
    """Return `report` with every file of the bundle in `folder` followed beside `deployable`.

    Each on the picture on which its error was largest; `samples` are those of the report.
    """
    bundle = read_bundle(folder)
    found = find_samples(samples, bundle.contract)
    worst = {each.path: each.worst.name for each in report.results if each.worst}

    def sample_for(path: str) -> Sample:
        name = worst.get(path)
        if name is None:
            return next(iter(found))
        return found.read([each.name for each in found.paths].index(name))

    drift = drifts_of(TorchGraphs(deployable), bundle, folder, sample_for)
    return replace(report, drift=drift)


def drifts_of(
    graphs: TorchGraphs,
    bundle: Bundle,
    folder: Path,
    sample_for: Callable[[str], Sample],
) -> tuple[Drift, ...]:
    """Follow each Core ML and ONNX file of `bundle`, on the picture that `sample_for` gives for it.

    Compressed files are left out: every operation of theirs departs by what their form loses.

    A file that cannot be followed has its `failure` told.
    """
    return tuple(
        _drift(artifact, folder, graphs, sample_for(artifact.path))
        for artifact in bundle.artifacts
        if artifact.format in FOLLOWED and artifact.compression is None
    )


def _drift(artifact: Artifact, folder: Path, graphs: TorchGraphs, sample: Sample) -> Drift:
    followed: list[Followed] = []
    failure, count = None, 0
    try:
        file, graph = graphs.open(artifact, folder)
        count = len(file.operations)
        for each in follow(file, graph, sample.image):
            followed.append(each)
    except SegportError as error:
        failure = str(error).removeprefix(f"{folder / artifact.path}: ").rstrip(".")
    departing = (i for i, each in enumerate(followed) if each.drift.departs)
    index = next(departing, None)
    return Drift(
        path=artifact.path,
        format=artifact.format,
        precision=artifact.precision,
        picture=sample.name,
        operations=count,
        rows=tuple(each.drift for each in followed),
        first=None if index is None else _departure(index, followed[index], graphs.deployable),
        failure=failure,
    )


def _departure(index: int, followed: Followed, deployable: Deployable) -> Departure:
    details = followed.operation.details()
    known = dict(deployable.named_modules(remove_duplicate=False))
    modules = [(name_of(path), known[path]) for path in followed.modules if path in known]
    weights = weight_differences(details.weights, modules)
    return Departure(
        index=index,
        inputs=followed.inputs,
        weights=weights,
        parameters=details.parameters,
        cause=cause_of(followed.at_input, weights, details.parameters),
    )
