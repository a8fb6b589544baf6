"""`python -m models`: look into a checkpoint, make the demo checkpoint, render the samples."""

from pathlib import Path

import click

from models.common.cli import CONTEXT, Stages, console, run
from models.common.options import CHECKPOINT, READING, with_options


@click.group(context_settings=CONTEXT)
def main() -> None:
    """Checkpoints and networks."""


@main.command()
@CHECKPOINT
@with_options(READING)
def inspect(checkpoint: str, **options: str | None) -> None:
    """Say what is in CHECKPOINT and what would be exported; write nothing."""
    from models.inspect import inspect as show

    show(Path(checkpoint), console(), **options)


@main.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--samples",
    type=click.Path(path_type=Path),
    default=Path("samples"),
    show_default=True,
    help="The rendered samples, with their masks.",
)
def demo(path: Path, samples: Path) -> None:
    """Make the demonstration checkpoint PATH: a full-size U-Net, but no damage detector."""
    from models.demo.checkpoint import make_demo_checkpoint

    screen = console()
    with Stages(screen)("Making the demo checkpoint"):
        make_demo_checkpoint(path, samples)
    screen.print(f"Wrote {path} ({path.stat().st_size / 1e6:.1f} MB).", soft_wrap=True)


if __name__ == "__main__":
    run(main, "python -m models")
