"""`segport inspect`."""

from pathlib import Path
from typing import Any

import click

from export.settings import parse_labels
from models.common.paths import require_there
from models.common.spelling import export_command
from models.common.text import visible
from models.custom.option import parse_named
from models.specification import Choices
from segport.options import CHECKPOINT, READING, with_options


@click.command(short_help="Say what is in a checkpoint.")
@CHECKPOINT
@with_options(*READING)
def command(
    checkpoint: Path,
    model: str | None,
    model_args: str | None,
    weights: str | None,
    labels: str | None,
    **choices: Any,
) -> None:
    """Say what is in CHECKPOINT and what would be exported; write nothing."""
    module = parse_named(model, model_args)
    require_there(checkpoint)

    from models.common.cli import console
    from models.inspect import inspect

    inspect(
        checkpoint,
        console(),
        weights=weights,
        choices=Choices(**choices),
        labels=parse_labels(labels),
        module=module,
    )
    again = export_command(checkpoint, model=model, model_args=model_args)
    click.echo(visible(f"Every key fits. Export it with:\n  {again}"))
