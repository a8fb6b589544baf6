"""Write a report's figures as text, the same on the page, in Markdown and on a console."""

from collections.abc import Sequence

from models.common.text import counted, listed
from validate.metrics.comparison import ClassOverlap, Metrics
from validate.metrics.margins import Region
from validate.results.numbers import FORMATS, NOTHING, _digits, decibels, percent, share, size
from validate.results.parity import ArtifactResult, Branches, BranchResult, PhotoWay, Report
from validate.results.ranges import Ranges

COLUMNS = (
    "file",
    "size",
    "runtime",
    "PSNR",
    "largest error",
    "agreement",
    "decisive flips",
    "verdict",
)
NAMED_RANGES = 5
NAMED_PINS = 12
RUNTIMES = {"Core ML reference": "Segport's reference runtime"}
"""Runtimes whose names alone could be read as a phone's."""
NO_PHONE = "None of these is a phone's time."


def row(result: ArtifactResult) -> tuple[str, ...]:
    """Return the cells of one result, under COLUMNS."""
    verdict = "not run here" if result.status == "not run" else result.status
    start = (result.path, size(result.size), result.runtime)
    if result.total is None or result.worst is None:
        return (*start, *[NOTHING] * 4, verdict)
    return (
        *start,
        decibels(result.total.psnr),
        percent(result.worst.metrics.relative_error),
        share(result.total.agreement),
        f"{result.total.decisive_flips:,}",
        verdict,
    )


def figures(metrics: Metrics) -> tuple[tuple[str, str], ...]:
    """Return names and texts of the figures that no column of the table has."""
    return (
        ("mean error, in logits", f"{metrics.mean_error:.2g}"),
        ("RMS error, in logits", f"{metrics.rms_error:.2g}"),
        ("largest error, in logits", f"{metrics.max_error:.2g}"),
        ("SNR", decibels(metrics.snr)),
        ("cosine", "–" if metrics.cosine is None else f"{metrics.cosine:.9g}"),
        ("labels equal at class boundaries", region(metrics.boundary)),
        ("labels equal elsewhere", region(metrics.interior)),
        ("pixels PyTorch barely decides", percent(metrics.undecided)),
    )


def region(part: Region) -> str:
    """Return the share of equal labels among some pixels, with the counts."""
    if part.agreement is None:
        return "no such pixel"
    return f"{share(part.agreement)} ({part.pixels - part.flips:,} of {part.pixels:,})"


def time(result: ArtifactResult) -> str:
    """Return milliseconds for a picture, and the ratio to PyTorch's where that was run too."""
    if result.milliseconds is None:
        return NOTHING
    if result.ratio is None:
        return f"{result.milliseconds:.0f}"
    return f"{result.milliseconds:.0f} ({result.ratio:.2f}×)"


def times(report: Report) -> list[tuple[str, str, str]]:
    """Return path, runtime and time of each result that was timed."""
    timed = [each for each in report.results if each.milliseconds is not None]
    return [(each.path, RUNTIMES.get(each.runtime, each.runtime), time(each)) for each in timed]


def reference_time(milliseconds: float | None) -> str:
    """Return how long PyTorch takes for a picture, as a sentence without its full stop."""
    if milliseconds is None:
        return "PyTorch's outputs were stored earlier, so that it was not timed"
    return f"PyTorch takes {milliseconds:.0f} ms a picture on this machine"


def overlap(classes: ClassOverlap) -> str:
    """Return an IoU with its counts; a class that neither mask has is empty, which is no 1.0."""
    if classes.iou is None:
        return iou(classes)
    return f"{iou(classes)} ({classes.intersection:,} of {classes.union:,})"


def iou(classes: ClassOverlap) -> str:
    """Return an IoU without its counts."""
    if classes.iou is None:
        return "empty in both"
    return f"{classes.iou:.{_digits(classes.iou, 4)}f}"


def lowest_iou(labels: Sequence[str], classes: Sequence[ClassOverlap]) -> str:
    """Return the lowest IoU and its class, among the classes that a mask has."""
    found = [(each.iou, label, each) for label, each in zip(labels, classes, strict=True)]
    present = [(value, label, each) for value, label, each in found if value is not None]
    if not present:
        return NOTHING
    _, label, lowest = min(present, key=lambda each: each[0])
    return f"{iou(lowest)} ({label})"


def photo_way(way: PhotoWay) -> str:
    """Tell in a sentence how masks change when photos are shrunk as on a phone."""
    agreements = [each.agreement for each in way.filters]
    filters = f"{share(min(agreements))} to {share(max(agreements))}" if agreements else NOTHING
    files = ", ".join(f"{each.path} {share(each.agreement)}" for each in way.files)
    return (
        f"From photo to mask, shrunk as on a phone ({way.phone}), labels equal to PyTorch's on the "
        f"training's pixels: {files}; PyTorch itself with other filters: {filters}."
    )


def ranges(found: Ranges) -> tuple[str, ...]:
    """Return sentences on operations that float16 does not suit, and on those kept in float32."""
    pictures = counted(found.pictures, "picture")
    lines = [
        f"Float16 does not suit {each.title}: {each.fault} (on {pictures})."
        for each in found.faulty[:NAMED_RANGES]
    ]
    if len(found.faulty) > NAMED_RANGES:
        lines.append(f"Nor {len(found.faulty) - NAMED_RANGES} more operations.")
    kept = [each.title for each in found.operations if each.pinned]
    if kept and len(kept) < len(found.operations):
        lines.append(f"Kept in float32: {listed(kept, NAMED_PINS)}.")
    return tuple(lines)


def ordered(report: Report) -> list[int]:
    """Return the indices of the results, those that failed first."""
    return sorted(range(len(report.results)), key=lambda i: report.results[i].status != "failed")


def title(report: Report, index: int) -> str:
    """Return the format of a result, with its runtime where the same file ran in two."""
    result = report.results[index]
    name = FORMATS[result.format] + (f", {result.quality.form}" if result.quality else "")
    twice = [each for each in report.results if each.path == result.path and each.total]
    return f"{name} ({result.runtime})" if len(twice) > 1 else name


def flips(metrics: Metrics) -> str:
    """Count the pixels whose label is not PyTorch's, and those where that is decisive."""
    if not metrics.flips:
        return "no pixel differs"
    differ = "1 pixel differs" if metrics.flips == 1 else f"{metrics.flips:,} pixels differ"
    return f"{differ}, {metrics.decisive_flips:,} decisively" if metrics.decisive_flips else differ


def reasons(result: ArtifactResult) -> str:
    """Join the reasons why a file failed or was not run; empty where it passed."""
    return "; ".join(result.reasons)


def branch_columns(branches: Branches) -> tuple[str, ...]:
    """Return the head of the table of branches."""
    return (
        "branch",
        f"ms (× branch {branches.deepest})",
        f"labels as branch {branches.deepest}'s",
        "lowest IoU",
    )


def branch_rows(branches: Branches, labels: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the cells of each branch, under `branch_columns`."""
    deepest = next(each for each in branches.results if each.branch == branches.deepest)
    return [_branch_row(each, deepest.milliseconds, labels) for each in branches.results]


def branch_sentence(branches: Branches) -> str:
    """Say what the table of branches compares."""
    pictures = counted(branches.pictures, "picture")
    return (
        f"PyTorch's own branches on {pictures}: BRANCH= of an export chooses one. Labels and IoU "
        f"are those of the masks against branch {branches.deepest}, which sees every node."
    )


def _branch_row(
    result: BranchResult, milliseconds: float, labels: Sequence[str]
) -> tuple[str, ...]:
    return (
        result.branch + (", exported" if result.exported else ""),
        f"{result.milliseconds:.0f} ({result.milliseconds / milliseconds:.2f}×)",
        share(result.agreement),
        lowest_iou(labels, result.classes),
    )
