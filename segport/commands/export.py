"""`segport export`."""

from pathlib import Path
from typing import Any

import click

from segport.options import CHECKPOINT, JUDGING, READING, WRITING, with_options


@click.command(short_help="Take a checkpoint to the phone, with proof.")
@CHECKPOINT
@with_options(*WRITING, *READING, *JUDGING)
def command(checkpoint: Path, **options: Any) -> None:
    """Export CHECKPOINT to TorchScript, Core ML and ONNX, proved to agree with PyTorch."""
    from segport.api import export

    export(checkpoint, **options, verbose=True)
