"""`segport demo`."""

from pathlib import Path
from typing import Any

import click

from segport.options import JUDGING, WRITING, with_options


@click.command(short_help="Run the whole path on rendered samples.")
@with_options(*WRITING, *JUDGING)
def command(out: Path, **options: Any) -> None:
    """Train a demonstration U-Net on the rendered samples and export it: the whole path.

    Its checkpoint is OUT/demo/breakage.pt, and is made once. It is no damage detector.
    """
    from export.staging import require_writable
    from models.common.cli import Stages, console
    from segport.api import export

    checkpoint = out / "demo" / "breakage.pt"
    require_writable(checkpoint.parent)
    if not checkpoint.is_file():
        from models.demo.checkpoint import make_demo_checkpoint
        from validate.images.folders import RENDERED

        with Stages(console())("Making the demo checkpoint"):
            make_demo_checkpoint(checkpoint, RENDERED)
    export(checkpoint, out=out, **options, verbose=True)
