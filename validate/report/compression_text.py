"""Write what compressed files promise, and keep: on the page, in Markdown and on a console."""

from validate.metrics.mask_quality import MaskQuality
from validate.report.text import iou, lowest_iou, overlap
from validate.results.numbers import size
from validate.results.parity import ArtifactResult, Report

SENTENCE = (
    "A compressed file is judged twice. Its figures elsewhere are beside PyTorch with the file's "
    "own weights, which tells a broken file from an honest loss; here, its masks are beside "
    "PyTorch's own."
)


def compressed(report: Report) -> list[tuple[ArtifactResult, MaskQuality]]:
    """Return the results of compressed files whose masks were measured."""
    return [(each, each.quality) for each in report.results if each.quality is not None]


def columns(report: Report) -> tuple[str, ...]:
    """Return the head of the table of compressed files."""
    named = (f"IoU of {label}" for label in report.labels)
    return ("compressed file", "weights", "size", *named, "lowest IoU of outlines", "required")


def rows(report: Report) -> list[tuple[str, ...]]:
    """Return the cells of each compressed file, under `columns`."""
    return [
        (
            f"{result.path} ({result.runtime})",
            quality.form,
            _size(result, report),
            *map(overlap, quality.areas),
            lowest_iou(report.labels, quality.boundaries),
            f"{quality.min_iou:g}",
        )
        for result, quality in compressed(report)
    ]


def lines(report: Report) -> list[str]:
    """Return a sentence on the masks of each compressed file."""
    return [
        f"{result.path} ({quality.form}, {_size(result, report)}): IoU of its masks to PyTorch's: "
        + ", ".join(
            f"{label} {iou(each)}" for label, each in zip(report.labels, quality.areas, strict=True)
        )
        + f"; lowest of outlines {lowest_iou(report.labels, quality.boundaries)}; "
        f"{quality.min_iou:g} is required."
        for result, quality in compressed(report)
    ]


def _size(result: ArtifactResult, report: Report) -> str:
    """Return the size of a file, with that of the plain one beside it."""
    plain = (e.size for e in report.results if e.format == result.format and e.quality is None)
    whole = next(plain, None)
    return size(result.size) + (f" of {size(whole)}" if whole else "")
