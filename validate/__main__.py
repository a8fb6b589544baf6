"""`python -m validate`: judge a bundle against PyTorch."""

from pathlib import Path
from typing import Literal

import click

from models.command_line import CONTEXT, Stages, console, run
from models.errors import ValidationFailed


@click.command(context_settings=CONTEXT)
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    help="Where the bundle's checkpoint lies. [default: where it was when the bundle was made]",
)
@click.option(
    "--samples",
    type=click.Path(path_type=Path),
    help="Folder of photos. [default: the rendered samples]",
)
@click.option(
    "--coreml",
    type=click.Choice(["native", "reference", "both"]),
    help="Which runtime judges Core ML files. [default: native on a Mac, else reference]",
)
def main(
    bundle: Path,
    checkpoint: Path | None,
    samples: Path | None,
    coreml: Literal["native", "reference", "both"] | None,
) -> None:
    """Judge every file of BUNDLE against PyTorch; exit 1 when one does not agree."""
    from validate.console import print_report
    from validate.parity import judge
    from validate.writing import write_results

    stages = Stages(console())
    with stages.counted("Checking parity") as progress:
        report = judge(
            bundle, checkpoint=checkpoint, samples=samples, coreml=coreml, progress=progress
        )
    write_results(report, bundle)
    print_report(report, stages.console)
    if not report.passed:
        raise ValidationFailed(f"{report.sentence} See {bundle / 'report.html'}.")


if __name__ == "__main__":
    run(main, "python -m validate")
