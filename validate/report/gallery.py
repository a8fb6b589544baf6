"""Prepare the pictures of the page: photos, PyTorch's masks, each file's, and differences."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.common.text import counted
from validate.report import text
from validate.report.data_uri import difference_uri, heat_uri, mask_uri, photo_uri
from validate.results import numbers
from validate.results.parity import PictureResult, Report, ShownPicture
from validate.results.thumbnails import reduced

BUDGET = 8_000_000
"""Bytes of all pictures in a page; where they take more, they are drawn smaller."""
MOST_REDUCED = 6
"""Divisor of their sides at most."""
PROBED = 10
"""Pictures that are drawn to estimate whether all of them would be far above the budget."""
NAMED = 3
"""Labels of a mask that are named."""


@dataclass(frozen=True)
class ResultMask:
    """Hold one result's mask of a picture, as data URIs: None where there is nothing to show.

    `mask` and `difference` are None where all labels are PyTorch's, `heat` where no error is
    above the tolerated one. `failed` says that this picture is beyond the tolerance.
    """

    title: str
    summary: str
    failed: bool
    mask: str | None
    difference: str | None
    heat: str | None


@dataclass(frozen=True)
class Card:
    """Hold one picture: its photo, PyTorch's mask, and the mask of each result.

    `chosen` is the result that is shown at first: that with the largest share of its tolerance.
    `labelled` says in words what PyTorch's mask shows.
    """

    name: str
    photo: str
    mask: str
    labelled: str
    layers: tuple[ResultMask, ...]
    chosen: int
    proportions: float

    @property
    def size(self) -> int:
        """Return the characters of all data URIs."""
        layers = [uri for each in self.layers for uri in (each.mask, each.difference, each.heat)]
        return sum(len(uri) for uri in (self.photo, self.mask, *layers) if uri)

    @property
    def state(self) -> str:
        """Return "failed", "differs" or "equal", for the filter of the page."""
        if any(layer.failed for layer in self.layers):
            return "failed"
        return "differs" if any(layer.difference for layer in self.layers) else "equal"


def gallery(report: Report) -> tuple[Card, ...]:
    """Return the cards of all pictures that are shown, in the report's order, within BUDGET."""
    found = [_by_name(result.pictures) for result in report.results]
    cards: tuple[Card, ...] = ()
    for factor in range(1, MOST_REDUCED + 1):
        if factor < MOST_REDUCED and _far_too_large(report, factor, found):
            continue
        cards = tuple(_card(report, reduced(each, factor), found) for each in report.shown)
        if sum(card.size for card in cards) <= BUDGET:
            break
    return cards


def _far_too_large(report: Report, factor: int, found: list[dict[str, PictureResult]]) -> bool:
    """Estimate from some pictures, evenly chosen, whether all would be far above BUDGET."""
    probe = report.shown[:: -(-len(report.shown) // PROBED) or 1]
    if len(probe) == len(report.shown):
        return False
    size = sum(_card(report, reduced(each, factor), found).size for each in probe)
    return size * len(report.shown) > 1.25 * BUDGET * len(probe)


def _by_name(pictures: tuple[PictureResult, ...]) -> dict[str, PictureResult]:
    return {picture.name: picture for picture in pictures}


def _card(report: Report, picture: ShownPicture, found: list[dict[str, PictureResult]]) -> Card:
    order = _order(picture) if report.independent else ()
    # A file that stopped at a later picture has no figures, though it had made masks.
    ran = [index for index in text.ordered(report) if picture.name in found[index]]
    judged = {index: found[index][picture.name] for index in ran}
    layers = tuple(_layer(report, picture, index, each, order) for index, each in judged.items())
    shares = [_share(report, index, each) for index, each in judged.items()]
    return Card(
        name=picture.name,
        photo=photo_uri(picture.image),
        mask=mask_uri(picture.mask, report.colours, order),
        labelled=_labelled(report, picture),
        layers=layers,
        chosen=shares.index(max(shares)) if shares else -1,
        proportions=round(picture.proportions, 4),
    )


def _order(picture: ShownPicture) -> list[int]:
    """Order channels by area, the largest first, so that small ones lie on top of the others."""
    return [int(channel) for channel in np.argsort(-_areas(picture), kind="stable")]


def _areas(picture: ShownPicture) -> NDArray[np.int64]:
    return np.asarray(picture.mask.sum(axis=(1, 2), dtype=np.int64))


def _layer(
    report: Report,
    picture: ShownPicture,
    index: int,
    found: PictureResult,
    order: Sequence[int],
) -> ResultMask:
    where, levels = picture.differs.get(index), picture.errors.get(index)
    error = numbers.percent(found.metrics.relative_error)
    return ResultMask(
        title=text.title(report, index),
        summary=f"{text.flips(found.metrics)}, largest error {error}",
        failed=_share(report, index, found) > 1,
        mask=None if where is None else mask_uri(picture.masks[index], report.colours, order),
        difference=None if where is None else difference_uri(where),
        heat=None if levels is None else heat_uri(levels),
    )


def _share(report: Report, index: int, found: PictureResult) -> float:
    tolerance = report.results[index].tolerance
    limit = tolerance.max_error if tolerance else 1.0
    return found.metrics.relative_error / limit + found.metrics.decisive_flips


def _labelled(report: Report, picture: ShownPicture) -> str:
    """Name the labels that cover most of PyTorch's mask, without that of the background."""
    mask = picture.mask
    pixels = mask.shape[-2] * mask.shape[-1]
    if report.independent:
        labels, nothing = report.labels, "no channel anywhere"
        counts = _areas(picture)
    else:
        labels, nothing = report.labels[1:], f"{report.labels[0]} everywhere"
        counts = np.bincount(mask.ravel(), minlength=len(report.labels))[1:]
    order = [int(value) for value in np.argsort(-counts, kind="stable") if counts[value]]
    parts = [f"{labels[v]} on {numbers.percent(counts[v] / pixels)}" for v in order[:NAMED]]
    if len(order) > NAMED:
        parts.append(counted(len(order) - NAMED, "more label"))
    return ", ".join(parts) or nothing
