"""`python -m export`: from a checkpoint to a bundle that is ready for a phone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from export.settings import (
    DEFAULT_FORMATS,
    DEFAULT_TARGET,
    Settings,
    parse_channels,
    parse_formats,
    parse_labels,
    parse_size,
    parse_target,
    require_text,
)
from models.common.cli import CONTEXT, Stages, console, run
from models.common.options import CHECKPOINT, READING, with_options
from models.custom.option import parse_named
from models.specification import Choices

if TYPE_CHECKING:
    from validate.results.parity import Report

WRITING = (
    click.option(
        "--size",
        help="WIDTHxHEIGHT of the input, in pixels. [default: 256x256, or the next that fits]",
    ),
    click.option(
        "--out", default="build", show_default=True, help="Folder that the bundle goes into."
    ),
    click.option(
        "--formats",
        metavar="A,B,…",
        help=f"Which of torchscript, mlprogram, neuralnetwork, onnx. "
        f"[default: {','.join(DEFAULT_FORMATS)}]",
    ),
    click.option(
        "--target", default=DEFAULT_TARGET, show_default=True, help="Core ML deployment target."
    ),
    click.option("--mean", metavar="R,G,B", help="Subtracted from the picture in [0, 1]; none."),
    click.option("--std", metavar="R,G,B", help="The picture is divided by it; none."),
    click.option("--licence", help="Goes into the metadata of every file."),
    click.option("--author", help="Goes into the metadata of every file."),
)
JUDGING = (
    click.option(
        "--samples",
        type=click.Path(path_type=Path),
        help="Folder of photos for the parity check. [default: the rendered samples]",
    ),
    click.option(
        "--coreml",
        type=click.Choice(["native", "reference", "both"]),
        help="Which runtime judges Core ML files. [default: native on a Mac, else reference]",
    ),
    click.option(
        "--tolerances",
        type=click.Path(path_type=Path),
        help="TOML file of limits in the place of the built-in ones.",
    ),
)


@click.command(context_settings=CONTEXT)
@CHECKPOINT
@with_options(WRITING)
@with_options(READING)
@with_options(JUDGING)
def main(
    checkpoint: str,
    samples: Path | None,
    coreml: Literal["native", "reference", "both"] | None,
    tolerances: Path | None,
    out: str,
    **options: str | None,
) -> None:
    """Export CHECKPOINT to TorchScript, Core ML and ONNX, proved to agree with PyTorch."""
    settings = _settings(options)
    stages = Stages(console())

    from export.pipeline import export
    from export.summary import print_summary
    from validate.precision.gate import ParityGate
    from validate.report.console import print_report
    from validate.report.write import write_results

    def publish(report: Report, place: Path) -> None:
        write_results(report, place)
        print_report(report, stages.console)

    gate = ParityGate(stages, publish, samples=samples, coreml=coreml, tolerances=tolerances)
    bundle, folder = export(Path(checkpoint), Path(out), settings, stages, gate)
    print_summary(bundle, folder, stages.console)


def _settings(text: dict[str, str | None]) -> Settings:
    """Parse every option before anything slow is imported."""
    require_text(text)
    return Settings(
        size=parse_size(text["size"]),
        formats=parse_formats(text["formats"]),
        target=parse_target(text["target"] or DEFAULT_TARGET),
        mean=parse_channels(text["mean"], "MEAN"),
        std=parse_channels(text["std"], "STD"),
        labels=parse_labels(text["labels"]),
        weights=text["weights"],
        choices=Choices(
            text["encoder"],
            text["interpolation"],
            text["padding"],
            text["branch"],
            text["activation"],
        ),
        module=parse_named(text["model"], text["model_args"]),
        licence=text["licence"],
        author=text["author"],
    )


if __name__ == "__main__":
    run(main, "python -m export")
