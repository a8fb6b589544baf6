"""`segport validate`."""

from pathlib import Path
from typing import Any

import click

from models.common.text import visible
from segport.options import ACCOUNTS, BUNDLE, JUDGING, ORIGIN, PATH, REFERENCE, with_options


@click.command(short_help="Judge a bundle against PyTorch again.")
@BUNDLE
@with_options(*ORIGIN, *REFERENCE, *JUDGING, *ACCOUNTS)
@click.option("--out", type=PATH, help="Folder of the report. [default: the bundle itself]")
def command(bundle: Path, out: Path | None, **options: Any) -> None:
    """Judge every file of BUNDLE against PyTorch; exit 1 when one does not agree."""
    from segport.api import validate

    validate(bundle, **options, out=out, verbose=True)
    click.echo(visible(f"Report: {(out or bundle) / 'report.html'}"))
