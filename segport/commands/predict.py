"""`segport predict`."""

from pathlib import Path

import click

from models.common.text import visible
from models.errors import InputError
from segport.options import ANYWAY, BUNDLE, PATH, TIME_LIMIT


@click.command(short_help="Paint masks on photos with a bundle.")
@BUNDLE
@click.argument("photos", metavar="PHOTO...", nargs=-1, required=True, type=PATH)
@click.option(
    "--formats",
    metavar="A,B,…",
    help="Which files of the bundle may paint; of these, the fastest that passed does. "
    "'small' is the compressed one, which paints only where it is asked for.",
)
@click.option(
    "--out",
    type=PATH,
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
@TIME_LIMIT
@ANYWAY
def command(  # noqa: PLR0913, PLR0917 (a parameter for each option)
    bundle: Path,
    photos: tuple[Path, ...],
    formats: str | None,
    out: Path | None,
    tiled: bool,
    overlap: int | None,
    time_limit: float | None,
    anyway: bool,
) -> None:
    """Paint masks on each PHOTO (or folder of photos) with a file of BUNDLE, no checkpoint.

    Writes NAME.mask.png, NAME.overlay.jpg and, for all photos together, areas.json and areas.csv.
    """
    from export.bundle import read_bundle
    from export.bundle_consistency import SMALL
    from export.settings import FORMATS, listed_formats
    from validate.predict.file_names import files_of

    wanted = listed_formats(formats, known=(*FORMATS, SMALL))
    described = read_bundle(bundle)
    files_of(photos)

    from models.common.cli import Stages, console
    from validate.metadata.verdict import require_verdict
    from validate.predict.command import predict
    from validate.predict.console import print_areas
    from validate.runtimes import limits

    stages = Stages(console())
    if warning := require_verdict(bundle, described, anyway=anyway):
        stages.tell(warning)
    with stages.counted("Painting") as progress, limits.time_limit(time_limit):
        painting, folder = predict(
            bundle,
            photos,
            formats=wanted,
            out=out,
            tiled=tiled,
            overlap=overlap,
            progress=progress,
            tell=stages.tell,
        )
    print_areas(painting, stages.console)
    click.echo(visible(f"Masks, overlays and areas: {folder}"))
    if painting.unread:
        first = painting.unread[0]
        raise InputError(f"{first.name} was not painted: {first.reason}. All others were.")
