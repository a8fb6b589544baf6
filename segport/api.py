"""Run the main job from Python: what the commands call, and what `import segport` offers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from export.bundle_consistency import SMALL
from export.compression.forms import OLDEST_TARGET, parse_form, parse_min_iou, require_runs
from export.settings import (
    DEFAULT_TARGET,
    FORMATS,
    Settings,
    listed_formats,
    parse_channels,
    parse_formats,
    parse_labels,
    parse_name,
    parse_size,
    parse_target,
    require_text,
)
from models.common.cli import Progress
from models.common.paths import require_there
from models.errors import InputError, ValidationFailed
from models.specification import Choices
from segport.arguments import (
    Place,
    module_of,
    origin_of,
    path_of,
    photos_of,
    stages_for,
    text_of,
    undisturbed,
    with_keywords,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from export.bundle import Bundle as Description
    from validate.coreml import Arithmetic, Model
    from validate.predict.areas import Area
    from validate.results.parity import Report

CoreML = Literal["native", "reference", "both"]


@dataclass(frozen=True)
class Bundle:
    """Hold the folder of a bundle, what its bundle.json says, and the report of its export."""

    folder: Path
    description: Description
    report: Report

    @property
    def files(self) -> dict[str, Path]:
        """Return each format, and "small" for a compressed file, with its path."""
        return {each.key: self.folder / each.path for each in self.description.artifacts}

    def __fspath__(self) -> str:
        """Return the folder, so that a bundle can stand wherever its path can."""
        return str(self.folder)


@dataclass(frozen=True)
class Prediction:
    """Hold the mask of a photo, at the photo's own size.

    `name` is the path, or the place among the arrays; `mask` is `(H, W)` with the values of
    classes, or `(C, H, W)` with 0 and 1 where channels are independent; `areas` say how many
    pixels, and how many per cent of the photo, each label covers.
    """

    name: str
    mask: NDArray[np.uint8]
    areas: tuple[Area, ...]


@with_keywords
def export(  # noqa: PLR0913 (a keyword for each option of the command)
    model_or_path: Place | nn.Module,
    /,
    *,
    out: Place = "build",
    name: str | None = None,
    size: tuple[int, int] | int | str | None = None,
    formats: Sequence[str] | str | None = None,
    target: str | None = None,
    compress: str | None = None,
    min_iou: float | None = None,
    mean: Sequence[float] | str | None = None,
    std: Sequence[float] | str | None = None,
    labels: Sequence[str] | str | None = None,
    licence: str | None = None,
    author: str | None = None,
    model: str | None = None,
    model_args: Mapping[str, Any] | str | None = None,
    weights: str | None = None,
    encoder: str | None = None,
    interpolation: str | None = None,
    padding: Literal["same", "valid"] | None = None,
    branch: str | None = None,
    activation: Literal["sigmoid", "softmax"] | None = None,
    samples: Place | None = None,
    coreml: CoreML | None = None,
    tolerances: Place | None = None,
    allow_unjudged: Sequence[str] | str | None = None,
    time_limit: float | None = None,
    progress: Progress | None = None,
    verbose: bool = False,
) -> Bundle:
    """Export a checkpoint, or a network in memory, and judge every file against PyTorch.

    model_or_path   a checkpoint's path, or a `torch.nn.Module`, which is left as it is
    out, name       the bundle becomes the folder `out/name`
    size            (width, height) of the input in pixels
    formats         of "torchscript", "mlprogram", "neuralnetwork", "onnx"
    target          Core ML deployment target, "iOS13" to "iOS26"; "iOS15", or what `compress` needs
    compress        "int8", "palette8", "palette6" or "palette4": the mlprogram once more, smaller
    min_iou         least IoU of the smaller file's masks to PyTorch's, 0 to 1; 0.9 if not given
    mean, std       per channel, for pictures in [0, 1]; they become part of the files
    labels          names of the classes, background first
    model, …        "file.py:Class" and its keywords, for a checkpoint of a network of your own
    weights, encoder, interpolation, padding, branch, activation
                    settle what shapes cannot tell, as `segport export --help` says
    samples         a folder of photos, or a photo, to judge on
    allow_unjudged  formats whose files may pass though nothing here can run them
    time_limit      seconds that a file may take for one run; 600 if not given
    progress        is told the stage, how many of its parts are done, and how many there are
    verbose         print what the command line prints

    Raises InputError for what cannot be exported, and ValidationFailed, whose `report` says why,
    where a file does not compute what PyTorch computes: the files are kept in `out/name.failed`.
    """
    choices = Choices(encoder, interpolation, padding, branch, activation)
    texts = {"labels": labels, "licence": licence, "author": author, "weights": weights}
    require_text({**texts, "model": model, "model_args": model_args, **vars(choices)})
    form, written = parse_form(compress), parse_formats(text_of(formats))
    asked = parse_target(target, default=OLDEST_TARGET if form else DEFAULT_TARGET)
    require_runs(form, written, asked)
    settings = Settings(
        size=parse_size(text_of(size, "x")),
        formats=written,
        target=asked,
        compress=form,
        min_iou=parse_min_iou(min_iou, form),
        mean=parse_channels(text_of(mean), "MEAN"),
        std=parse_channels(text_of(std), "STD"),
        labels=parse_labels(labels),
        weights=weights,
        choices=choices,
        module=module_of(model, model_args),
        licence=licence,
        author=author,
        name=parse_name(name),
    )
    photos, place = photos_of(samples), Path(out)
    unjudged = listed_formats(text_of(allow_unjudged), "ALLOW_UNJUDGED") or ()
    _require_usable(model_or_path, place, settings)
    stages = stages_for(progress, verbose=verbose)

    from export.pipeline import export
    from export.summary import print_summary
    from validate.precision.gate import ParityGate
    from validate.report.console import print_report
    from validate.report.write import write_results
    from validate.runtimes import limits

    reports: list[Report] = []

    def publish(report: Report, bundle: Description, folder: Path) -> None:
        reports.append(report)
        write_results(report, folder, bundle)
        print_report(report, stages.console)

    judge = ParityGate(
        stages,
        publish,
        samples=photos,
        coreml=coreml,
        tolerances=path_of(tolerances),
        allow_unjudged=unjudged,
    )
    with undisturbed(), limits.time_limit(time_limit):
        origin = origin_of(model_or_path)
        try:
            description, folder = export(origin, place, settings, stages, judge, judge.ahead)
        except ValidationFailed as failed:
            failed.report = reports[-1]
            failed.args = (f"{reports[-1].sentence} {failed}",)
            raise
    print_summary(description, folder, stages.console)
    return Bundle(folder, description, reports[-1])


def _require_usable(model_or_path: object, out: Path, settings: Settings) -> None:
    """Raise InputError where there is no such checkpoint, or no place for its bundle."""
    from export.staging import require_replaceable, require_writable

    require_writable(out)
    if isinstance(model_or_path, str | PathLike):
        checkpoint = Path(model_or_path)
        require_there(checkpoint)
        require_replaceable(settings.place(out, checkpoint), checkpoint.name)
    elif settings.module is not None or settings.weights is not None:
        raise InputError(
            "MODEL= and WEIGHTS= are about a checkpoint: a module in memory has its own code and "
            "its own weights, so leave them away."
        )


@with_keywords
def validate(  # noqa: PLR0913 (a keyword for each option of the command)
    bundle: Place | Bundle,
    /,
    *,
    checkpoint: Place | None = None,
    model: str | nn.Module | None = None,
    model_args: Mapping[str, Any] | str | None = None,
    reference: Place | None = None,
    write_reference: Place | None = None,
    samples: Place | None = None,
    coreml: CoreML | None = None,
    tolerances: Place | None = None,
    allow_unjudged: Sequence[str] | str | None = None,
    time_limit: float | None = None,
    out: Place | None = None,
    drift: bool = False,
    ranges: bool = False,
    progress: Progress | None = None,
    verbose: bool = False,
) -> Report:
    """Judge every file of a bundle against PyTorch, and write the report into the bundle, or `out`.

    checkpoint      where the bundle's checkpoint lies now
    model           the module in memory that was exported, or "file.py:Class" of a network of
                    your own, with its keywords in `model_args`
    reference       what `write_reference` stored earlier takes the place of the network
    out             the folder of the report, where the bundle is not to be written to
    drift, ranges   also follow every operation, or measure what each needs of float16
    samples, allow_unjudged, time_limit, progress, verbose    as for `export`

    Raises InputError for a damaged bundle or other bad input, and ValidationFailed, whose `report`
    says why, where a file does not compute what PyTorch computes.
    """
    from export.bundle import read_bundle
    from export.staging import require_writable

    folder = Path(bundle)
    description = read_bundle(folder)
    results = Path(out) if out is not None else folder
    require_writable(results)
    if reference is not None and (drift or ranges):
        raise InputError(
            f"{'--drift' if drift else '--ranges'} needs the network itself, and {reference} holds "
            "its outputs only: leave --reference out, and say with --checkpoint where the "
            "checkpoint lies."
        )
    photos = photos_of(samples)
    unjudged = listed_formats(text_of(allow_unjudged), "ALLOW_UNJUDGED") or ()
    stages = stages_for(progress, verbose=verbose)

    from validate.drift.run import can_follow, with_drift
    from validate.parity.run import judge
    from validate.precision.survey import require_rounded, with_ranges
    from validate.reference.network import load_reference
    from validate.report.console import print_drift, print_report
    from validate.report.write import write_results
    from validate.runtimes import limits

    if ranges:
        require_rounded(folder)
    with undisturbed(), limits.time_limit(time_limit):
        module, place = module_of(model, model_args), path_of(checkpoint)
        with stages.counted("Checking parity") as counted:
            report = judge(
                folder,
                checkpoint=place,
                module=module,
                reference=path_of(reference),
                write_reference=path_of(write_reference),
                samples=photos,
                coreml=coreml,
                tolerances=path_of(tolerances),
                allow_unjudged=unjudged,
                results=results,
                progress=counted,
                tell=stages.tell,
            )
        if write_reference is not None:
            megabytes = Path(write_reference).stat().st_size / 1e6
            stages.tell(f"PyTorch's outputs: {write_reference} ({megabytes:.1f} MB)")
        if drift or ranges:
            deployable = load_reference(description, folder, place, module)
        if drift:
            with stages("Following every operation"):
                report = with_drift(report, folder, deployable, photos)
        if ranges:
            with stages("Measuring every operation"):
                report = with_ranges(report, folder, deployable, photos)
    write_results(report, results, description if results.resolve() == folder.resolve() else None)
    print_report(report, stages.console)
    print_drift(report.drift, stages.console)
    if not report.passed:
        offered = not (drift or reference) and can_follow(report)
        hint = " --drift names the operation that departs." if offered else ""
        failed = ValidationFailed(f"{report.sentence} See {results / 'report.html'}.{hint}")
        failed.report = report
        raise failed
    return report


@with_keywords
def predict(  # noqa: PLR0913 (a keyword for each option of the command)
    bundle: Place | Bundle,
    photos: Place | NDArray[Any] | Sequence[Place | NDArray[Any]],
    /,
    *,
    formats: Sequence[str] | str | None = None,
    tiled: bool = False,
    overlap: int | None = None,
    time_limit: float | None = None,
    anyway: bool = False,
) -> Iterator[Prediction]:
    """Yield the mask of each photo, by the fastest file of the bundle that passed.

    photos    a folder, of which files that are no pictures are passed over; a file, or an array
              `(H, W, channels)` of uint8, or of floats in [0, 1] where the network takes no image;
              or several files and arrays
    formats   which files of the bundle may paint
    tiled     keep the photo's own size, and run tiles that share `overlap` pixels
    time_limit    seconds that the file may take for one run; 600 if not given
    anyway    use a bundle whose last verdict failed, or is about other files

    Raises InputError for a damaged bundle, or one that failed, a photo that cannot be read, or a
    file that fails.
    """
    from export.bundle import read_bundle

    folder = Path(bundle)
    wanted = listed_formats(text_of(formats), known=(*FORMATS, SMALL))
    description = read_bundle(folder)

    from segport.photos import Photos
    from validate.metadata.verdict import require_verdict
    from validate.predict.areas import areas
    from validate.predict.masks import layers
    from validate.predict.predictor import Predictor
    from validate.runtimes import limits

    require_verdict(folder, description, anyway=anyway)
    found = Photos(photos)
    with undisturbed():
        predictor = Predictor(folder, wanted)

    def predictions() -> Iterator[Prediction]:
        for name, photo in found.read(description.contract.channels):
            with undisturbed(), limits.time_limit(time_limit):
                made = predictor.tiled(photo, overlap) if tiled else predictor.stretched(photo)
            measured = areas(layers(made.mask, description), description.labels)
            yield Prediction(name, made.mask, measured)

    return predictions()


@with_keywords
def load_coreml(
    path: Place, /, *, function: str | None = None, arithmetic: Arithmetic | None = None
) -> Model:
    """Load a `.mlpackage` or `.mlmodel` into the reference runtime, on any machine.

    `model.predict({"image": picture})` then gives its outputs. See docs/coreml-runtime.md. Raises
    InputError where the file is damaged, or needs an operation that the runtime does not have.
    """
    from validate.coreml import load

    return load(Path(path), function=function, arithmetic=arithmetic)
