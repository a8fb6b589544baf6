"""`segport ios-demo`."""

from pathlib import Path

import click

from models.common.text import visible
from models.custom.option import parse_named
from segport.options import ANYWAY, BUNDLE, ORIGIN, PATH, SAMPLES, with_options


@click.command(short_help="Put a bundle into the iOS demo app.")
@BUNDLE
@with_options(*ORIGIN, SAMPLES)
@click.option(
    "--app",
    type=PATH,
    help="The app's folder DamageDemo. [default: that of the repository Segport runs from]",
)
@ANYWAY
def command(  # noqa: PLR0913, PLR0917 (a parameter for each option)
    bundle: Path,
    checkpoint: Path | None,
    model: str | None,
    model_args: str | None,
    samples: Path | None,
    app: Path | None,
    anyway: bool,
) -> None:
    """Put the Core ML files of BUNDLE, with golden fixtures, into the iOS demo app."""
    from export.bundle import read_bundle
    from validate.images.folders import photos_in
    from validate.ios.app import app_folder

    module = parse_named(model, model_args)
    folder = app_folder(app)
    described = read_bundle(bundle)
    if samples is not None:
        photos_in(samples)

    from models.common.cli import Stages, console
    from validate.ios.install import install_into_app
    from validate.metadata.verdict import require_verdict

    stages = Stages(console())
    if warning := require_verdict(bundle, described, anyway=anyway):
        stages.tell(warning)
    with stages("Computing what the phone should compute"):
        installed = install_into_app(
            bundle, folder, samples=samples, checkpoint=checkpoint, module=module
        )
    click.echo(visible(f"Put into {installed[0].parent}:"))
    for path in installed:
        click.echo(visible(f"  {path.name}"))
    click.echo(visible(f"Open {folder.with_suffix('.xcodeproj')} in Xcode and run it."))
