"""`segport device-report`."""

from pathlib import Path

import click

from models.errors import ValidationFailed
from segport.options import PATH


@click.command(short_help="Read what the iOS demo app shared.")
@click.argument("file", type=PATH)
def command(file: Path) -> None:
    """Read the FILE that the app shared after checking parity on a phone."""
    from validate.ios.report import read_device_report, to_markdown

    report = read_device_report(file)
    click.echo(to_markdown(report))
    if not report.passed:
        raise ValidationFailed(report.sentence)
