"""`python -m validate`: judge a bundle against PyTorch, and take it to the iOS app and back."""

from pathlib import Path
from typing import Literal

import click

from models.common.cli import CONTEXT, Stages, console, run
from models.common.options import MODULE, with_options
from models.custom.option import parse_named
from models.errors import InputError, ValidationFailed

SAMPLES = click.option(
    "--samples",
    type=click.Path(path_type=Path),
    help="Folder of photos. [default: the rendered samples]",
)
CHECKPOINT = click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    help="Where the bundle's checkpoint lies. [default: where it was when the bundle was made]",
)
TOLERANCES = click.option(
    "--tolerances",
    type=click.Path(path_type=Path),
    help="TOML file of limits in the place of the built-in ones.",
)
BUNDLE = click.argument("bundle", type=click.Path(path_type=Path))


class JudgeByDefault(click.Group):
    """A group whose first command runs when none is named: `python -m validate BUNDLE`."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Put `judge` in front of anything that is no command and asks for no help."""
        if args and args[0] not in (*self.commands, *CONTEXT["help_option_names"]):
            args = ["judge", *args]
        return super().parse_args(context, args)


@click.group(cls=JudgeByDefault, context_settings=CONTEXT)
def main() -> None:
    """Judge exported files; `python -m validate BUNDLE` is short for `judge BUNDLE`."""


@main.command()
@BUNDLE
@CHECKPOINT
@with_options(MODULE)
@click.option(
    "--reference",
    type=click.Path(path_type=Path),
    help="Judge against what --write-reference stored, without the checkpoint.",
)
@click.option(
    "--write-reference",
    type=click.Path(path_type=Path),
    help="Store PyTorch's outputs on the samples in this file (.npz).",
)
@SAMPLES
@click.option(
    "--coreml",
    type=click.Choice(["native", "reference", "both"]),
    help="Which runtime judges Core ML files. [default: native on a Mac, else reference]",
)
@TOLERANCES
@click.option(
    "--drift",
    is_flag=True,
    help="Also follow each file operation by operation, and name the first that departs.",
)
@click.option(
    "--ranges",
    is_flag=True,
    help="Also measure what each operation and its weights need of float16.",
)
def judge(  # noqa: PLR0913, PLR0917 (a parameter for each option)
    bundle: Path,
    checkpoint: Path | None,
    model: str | None,
    model_args: str | None,
    reference: Path | None,
    write_reference: Path | None,
    samples: Path | None,
    coreml: Literal["native", "reference", "both"] | None,
    tolerances: Path | None,
    drift: bool,
    ranges: bool,
) -> None:
    """Judge every file of BUNDLE against PyTorch; exit 1 when one does not agree."""
    from export.bundle import read_bundle
    from validate.drift.run import can_follow, with_drift
    from validate.parity.run import judge as judge_bundle
    from validate.precision.survey import require_rounded, with_ranges
    from validate.reference.network import load_reference
    from validate.report.console import print_drift, print_report
    from validate.report.write import write_results

    if reference is not None and (drift or ranges):
        raise InputError(
            f"{'--drift' if drift else '--ranges'} needs the network itself, and {reference} holds "
            "its outputs only: leave --reference out, and say with --checkpoint where the "
            "checkpoint lies."
        )
    if ranges:
        require_rounded(bundle)
    module = parse_named(model, model_args)
    stages = Stages(console())
    with stages.counted("Checking parity") as progress:
        report = judge_bundle(
            bundle,
            checkpoint=checkpoint,
            module=module,
            reference=reference,
            write_reference=write_reference,
            samples=samples,
            coreml=coreml,
            tolerances=tolerances,
            progress=progress,
            tell=stages.tell,
        )
    if write_reference is not None:
        size = write_reference.stat().st_size
        stages.tell(f"PyTorch's outputs: {write_reference} ({size / 1e6:.1f} MB)")
    if drift or ranges:
        deployable = load_reference(read_bundle(bundle), bundle, checkpoint, module)
    if drift:
        with stages("Following every operation"):
            report = with_drift(report, bundle, deployable, samples)
    if ranges:
        with stages("Measuring every operation"):
            report = with_ranges(report, bundle, deployable, samples)
    write_results(report, bundle)
    print_report(report, stages.console)
    print_drift(report.drift, stages.console)
    if not report.passed:
        offered = not (drift or reference) and can_follow(report)
        hint = " --drift names the operation that departs." if offered else ""
        raise ValidationFailed(f"{report.sentence} See {bundle / 'report.html'}.{hint}")
    click.echo(f"Report: {bundle / 'report.html'}")


@main.command()
@BUNDLE
@click.argument(
    "photos", metavar="PHOTO...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--format",
    type=click.Choice(["mlprogram", "neuralnetwork", "onnx", "torchscript"]),
    help="Which file of the bundle paints. [default: the first that runs here]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for what is painted. [default: NAME.predictions beside the bundle]",
)
@click.option(
    "--tiled",
    is_flag=True,
    help="Keep the photo's own size, and run tiles of the file's input size, which is fixed. "
    "[default: stretch the photo to that size, as in training and on the phone]",
)
@click.option(
    "--overlap",
    type=click.IntRange(min=0),
    help="Pixels that tiles share with their neighbours. [default: a quarter of the tile]",
)
def predict(
    bundle: Path,
    photos: tuple[Path, ...],
    format: str | None,
    out: Path | None,
    tiled: bool,
    overlap: int | None,
) -> None:
    """Paint masks on each PHOTO (or folder of photos) with a file of BUNDLE, no checkpoint.

    Writes NAME.mask.png, NAME.overlay.jpg and, for all photos together, areas.json.
    """
    from validate.predict.command import predict as paint
    from validate.predict.console import print_areas

    stages = Stages(console())
    with stages.counted("Painting") as progress:
        painting, folder = paint(
            bundle,
            photos,
            format=format,
            out=out,
            tiled=tiled,
            overlap=overlap,
            progress=progress,
        )
    print_areas(painting, stages.console)
    click.echo(f"Masks, overlays and areas: {folder}")
    if painting.unread:
        first = painting.unread[0]
        raise InputError(f"{first.name} was not painted: {first.reason}. All others were.")


@main.command("ios-demo")
@BUNDLE
@CHECKPOINT
@with_options(MODULE)
@SAMPLES
def ios_demo(
    bundle: Path,
    checkpoint: Path | None,
    model: str | None,
    model_args: str | None,
    samples: Path | None,
) -> None:
    """Put the Core ML files of BUNDLE, with golden fixtures, into the iOS demo app."""
    from validate.ios.install import install_into_app

    module = parse_named(model, model_args)
    stages = Stages(console())
    with stages("Computing what the phone should compute"):
        installed = install_into_app(bundle, samples=samples, checkpoint=checkpoint, module=module)
    for path in installed:
        click.echo(f"Put {path.name} into {path.parent}")
    click.echo("Open ios_demo/DamageDemo.xcodeproj in Xcode and run it.")


@main.command("device-report")
@click.argument("file", type=click.Path(path_type=Path))
def device_report(file: Path) -> None:
    """Read the FILE that the app shared after checking parity on a phone."""
    from validate.ios.report import read_device_report, to_markdown

    report = read_device_report(file)
    click.echo(to_markdown(report))
    if not report.passed:
        raise ValidationFailed(report.sentence)


if __name__ == "__main__":
    run(main, "python -m validate")
