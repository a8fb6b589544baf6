"""`python -m bench`: Segport's time and memory, held against aims; exit code 1 where one is missed.

Each part runs in turns with what it is compared with, so that whatever else the machine does hits
both alike. Run it on a machine that does nothing else.
"""

import tempfile
from importlib import import_module
from pathlib import Path

import click
from rich.console import Console

from bench.rows import print_rows
from models.common.cli import CONTEXT, run

DEMO = Path("build/demo/breakage.pt")
PARTS = ("export", "commands", "photos", "runtimes")
MORE = ("growth",)
"""Parts without aims, which are measured where they are named."""


@click.command(context_settings=CONTEXT)
@click.argument("parts", nargs=-1, type=click.Choice((*PARTS, *MORE)))
@click.option("--rounds", default=3, show_default=True, help="How often each is run, in turns.")
@click.option("--checkpoint", default=DEMO, type=click.Path(path_type=Path), help="Of a Unet.")
def main(parts: tuple[str, ...], rounds: int, checkpoint: Path) -> None:
    """Measure PARTS, or everything that has an aim, and hold it against that."""
    console = Console()
    if checkpoint == DEMO and not DEMO.exists():
        from models.demo.checkpoint import make_demo_checkpoint
        from validate.images.folders import RENDERED

        make_demo_checkpoint(DEMO, RENDERED)
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        for name in parts or PARTS:
            folder = Path(temporary) / name
            folder.mkdir()
            part = import_module(f"bench.{name}")
            rows += part.rows(checkpoint, folder, rounds, console)
    if rows:
        print_rows(rows, console)
    click.get_current_context().exit(int(any(row.missed for row in rows)))


if __name__ == "__main__":
    run(main, "python -m bench")
