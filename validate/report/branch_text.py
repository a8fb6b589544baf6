"""How the branches of a network with deep supervision are written, on the page and in Markdown."""

from collections.abc import Sequence

from models.common.counting import counted
from validate.parity.branches import Branches, BranchResult
from validate.report.text import lowest_iou, share


def columns(branches: Branches) -> tuple[str, ...]:
    """The head of the table."""
    return (
        "branch",
        f"ms (× branch {branches.deepest})",
        f"labels as branch {branches.deepest}'s",
        "lowest IoU",
    )


def rows(branches: Branches, labels: Sequence[str]) -> list[tuple[str, ...]]:
    """The cells of each branch, under `columns`."""
    deepest = next(each for each in branches.results if each.branch == branches.deepest)
    return [_row(each, deepest.milliseconds, labels) for each in branches.results]


def sentence(branches: Branches) -> str:
    """What was measured."""
    pictures = counted(branches.pictures, "picture")
    return (
        f"PyTorch's own branches on {pictures}: BRANCH= of an export chooses one. Labels and IoU "
        f"are those of the masks against branch {branches.deepest}, which sees every node."
    )


def _row(result: BranchResult, milliseconds: float, labels: Sequence[str]) -> tuple[str, ...]:
    return (
        result.branch + (", exported" if result.exported else ""),
        f"{result.milliseconds:.0f} ({result.milliseconds / milliseconds:.2f}×)",
        share(result.agreement),
        lowest_iou(labels, result.classes),
    )
