"""Run the main job: checkpoint in, bundle out, every file judged before it is handed over."""

import datetime
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from export.bundle import Artifact, Bundle, OwnCode, Source, write_bundle
from export.bundle_consistency import near_path
from export.formats import Job, Meanwhile, write_formats
from export.metadata import Description, tool_versions
from export.settings import Settings, safe_name
from export.size_check import require_runs
from export.staging import require_replaceable, require_space, staged
from models.common.cli import Stages
from models.common.hashing import sha256_of
from models.custom.in_memory import ModuleInMemory
from models.deployable import Deployable
from models.errors import ValidationFailed
from models.load import Recognised, load_network, recognise_checkpoint, recognise_module

# Bytes of a format per byte of float32 weights, and room for what is not weights.
SHARE_OF_WEIGHTS = {"torchscript": 1.0, "mlprogram": 0.5, "neuralnetwork": 1.0, "onnx": 1.0}
SHARE_OF_SMALL = 0.27
SLACK = 8 << 20
# Judges what was written: the bundle that computes what the network computes, with a file of it
# written again if need be, or None.
Judge = Callable[[Bundle, Job], Bundle | None]


def no_steps(_: Job) -> Iterator[None]:
    """Do nothing while a file is written."""
    yield from ()


def export(
    checkpoint: Path | ModuleInMemory,
    out: Path,
    settings: Settings,
    stages: Stages,
    judge: Judge,
    meanwhile: Meanwhile = no_steps,
) -> tuple[Bundle, Path]:
    """Export `checkpoint` into a bundle below `out`, and have it judged before it is moved in.

    The weights of a module in memory are stored in the bundle. While the last file is written,
    `meanwhile` takes steps towards the verdict. Returns the bundle and its folder.
    Raises InputError for anything that cannot be exported, and ValidationFailed, with the files
    kept in `NAME.failed`, when one does not compute what PyTorch computes; an earlier bundle stays
    where it is in both cases.
    """
    destination, file = _place(checkpoint, out, settings)
    require_replaceable(destination, file)
    with stages("Reading the checkpoint"):
        recognised = _recognised(checkpoint, file, settings)
        specification = recognised.specification
        contract = settings.contract_for(specification)
        network = load_network(recognised)
        deployable = Deployable(network, contract, independent=specification.independent)
        if recognised.own is not None:
            recognised.own.require_runs(contract)
        else:
            require_runs(deployable, specification)
        require_space(out, _bytes_needed(deployable, settings))
    stages.tell(
        f"{specification.title}: {recognised.accounting.summary}; "
        f"labels {recognised.labels.summary}"
    )
    with staged(destination, file) as folder:
        if isinstance(checkpoint, ModuleInMemory):
            recognised = _stored(recognised, checkpoint, folder)
        job = _job(recognised, deployable, folder, destination, settings)
        source = _source(recognised, checkpoint, destination, settings)
        bundle = judge(_build(recognised, source, job, stages, meanwhile), job)
        if bundle is None:
            raise _rejected(folder, destination, file)
    return bundle, destination


def _place(checkpoint: Path | ModuleInMemory, out: Path, settings: Settings) -> tuple[Path, str]:
    """Return the bundle's folder, and the name of the file that holds the weights it is made of."""
    if isinstance(checkpoint, ModuleInMemory):
        name = settings.name or safe_name(checkpoint.attribute.rpartition(".")[2])
        return out / name, f"{name}.safetensors"
    return settings.place(out, checkpoint), checkpoint.name


def _recognised(checkpoint: Path | ModuleInMemory, file: str, settings: Settings) -> Recognised:
    choices, labels = settings.choices, settings.labels
    if isinstance(checkpoint, ModuleInMemory):
        return recognise_module(checkpoint, file, choices=choices, labels=labels)
    weights, module = settings.weights, settings.module
    return recognise_checkpoint(
        checkpoint, weights=weights, choices=choices, labels=labels, module=module
    )


def _stored(recognised: Recognised, module: ModuleInMemory, folder: Path) -> Recognised:
    """Write the weights of a module in memory into the bundle."""
    path = folder / recognised.checkpoint.path
    path.write_bytes(module.serialised())
    sha256, size = sha256_of(path), path.stat().st_size
    return replace(recognised, checkpoint=replace(recognised.checkpoint, sha256=sha256, size=size))


def _bytes_needed(deployable: Deployable, settings: Settings) -> int:
    weights = sum(tensor.nbytes for tensor in deployable.state_dict().values())
    shares = [SHARE_OF_WEIGHTS[f] for f in settings.formats]
    small = SHARE_OF_SMALL if settings.compress else 0.0
    return int(weights * (sum(shares) + small)) + SLACK


def _job(
    recognised: Recognised,
    deployable: Deployable,
    folder: Path,
    destination: Path,
    settings: Settings,
) -> Job:
    description = Description(
        specification=recognised.specification,
        contract=deployable.contract,
        labels=recognised.labels,
        checkpoint=recognised.checkpoint.path.name,
        sha256=recognised.checkpoint.sha256,
        licence=settings.licence,
        author=settings.author,
    )
    return Job(folder, destination.name, settings, description, deployable)


def _build(
    recognised: Recognised, source: Source, job: Job, stages: Stages, meanwhile: Meanwhile
) -> Bundle:
    artifacts, notes = write_formats(job, stages, meanwhile)
    notes = (*recognised.notes, *notes)
    bundle = _bundle(recognised, source, job, artifacts, notes, stages)
    write_bundle(bundle, job.folder)
    return bundle


def _source(
    recognised: Recognised, origin: Path | ModuleInMemory, destination: Path, settings: Settings
) -> Source:
    checkpoint, module, path = recognised.checkpoint, None, recognised.checkpoint.path.name
    if isinstance(origin, ModuleInMemory):
        module = origin.name
    else:
        path = near_path(checkpoint.path, destination)
    return Source(
        file=checkpoint.path.name,
        path=path,
        sha256=checkpoint.sha256,
        size=checkpoint.size,
        container=checkpoint.container,
        entry=checkpoint.entry,
        weights=settings.weights,
        choices=settings.choices if module is None else recognised.choices,
        code=_code(recognised),
        module=module,
    )


def _code(recognised: Recognised) -> OwnCode | None:
    if recognised.own is None:
        return None
    named, ran = recognised.own.named, recognised.own.ran
    return OwnCode(named.name, named.arguments, ran.files)


def _bundle(
    recognised: Recognised,
    source: Source,
    job: Job,
    artifacts: tuple[Artifact, ...],
    notes: tuple[str, ...],
    stages: Stages,
) -> Bundle:
    description, keys = job.description, recognised.accounting
    specification = description.specification
    return Bundle(
        name=job.name,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        source=source,
        specification=specification,
        activation=specification.activation,
        contract=description.contract,
        labels=recognised.labels.names,
        colours=recognised.labels.colours,
        labels_source=recognised.labels.source,
        keys={"loaded": keys.loaded, "renamed": keys.renamed, "ignored": keys.ignored},
        findings=tuple(finding.sentence for finding in recognised.findings),
        artifacts=artifacts,
        notes=notes,
        timings={name: round(seconds, 3) for name, seconds in stages.timings.items()},
        versions=tool_versions(),
        licence=description.licence,
        author=description.author,
    )


def _rejected(folder: Path, destination: Path, checkpoint: str) -> ValidationFailed:
    """Keep what failed apart from what ships, with its report, for whoever looks into it."""
    kept = destination.with_name(destination.name + ".failed")
    with staged(kept, checkpoint) as place:
        for path in folder.iterdir():
            path.rename(place / path.name)
    return ValidationFailed(
        f"{destination} was not written: the files and their report are in {kept}."
    )
