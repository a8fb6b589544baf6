"""Print results on a terminal, and show in them nothing that it would obey."""

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from models.common.text import visible, wrapped


class PlainConsole(Console):
    r"""Print with its own styles alone: controls in a text stand as `\x1b`."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Return the segments of `renderable`, with nothing in them that a terminal would obey."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else visible(text), style, control)


def print_line(console: Console, text: str, style: str = "") -> None:
    """Print a line, broken between words where it is longer than the console is wide.

    There is no markup in it, since names may hold brackets.
    """
    for line in wrapped(visible(text), console.width):
        console.print(Text(line, style), soft_wrap=True)
