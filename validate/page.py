"""`report.html`: the report as one page that needs nothing else, not even a network."""

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from validate import wording
from validate.drawing import difference_uri, overlay_uri, photo_uri
from validate.results import Report, ShownPicture

TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Difference:
    """One result on one picture: how many labels differ, and a picture of where."""

    title: str
    flips: int
    decisive: int
    picture: str


@dataclass(frozen=True)
class Card:
    """One picture of the page, in data URIs; `equal` names the results without a difference."""

    name: str
    photo: str
    overlay: str
    labelled: str
    differences: tuple[Difference, ...]
    equal: tuple[str, ...]


def to_html(report: Report) -> str:
    """The text of `report.html`; names are escaped wherever they stand."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("report.html")
    width, height = _size(report)
    return template.render(
        report=report,
        words=wording,
        cards=[_card(report, picture) for picture in report.shown],
        swatches=[_css(colour) for colour in report.colours],
        width=width,
        height=height,
    )


def _card(report: Report, picture: ShownPicture) -> Card:
    titles = {index: _title(report, index) for index in sorted(picture.masks)}
    found = {index: _difference(report, picture, index) for index in titles}
    return Card(
        name=picture.name,
        photo=photo_uri(picture.image),
        overlay=overlay_uri(picture.image, picture.mask, report.colours),
        labelled=_labelled(report, picture),
        differences=tuple(each for each in found.values() if each is not None),
        equal=tuple(titles[index] for index, each in found.items() if each is None),
    )


def _difference(report: Report, picture: ShownPicture, index: int) -> Difference | None:
    where = difference_uri(picture.image, picture.mask, picture.masks[index])
    if where is None:
        return None
    results = report.results[index].pictures
    metrics = next(each.metrics for each in results if each.name == picture.name)
    return Difference(_title(report, index), metrics.flips, metrics.decisive_flips, where)


def _title(report: Report, index: int) -> str:
    """The format of a result, with its runtime where the same file ran in two."""
    result = report.results[index]
    title = wording.FORMATS[result.format]
    twice = [each for each in report.results if each.path == result.path and each.total]
    return f"{title} ({result.runtime})" if len(twice) > 1 else title


def _labelled(report: Report, picture: ShownPicture) -> str:
    """What PyTorch's mask shows, in words: for the caption, and for those who cannot see it."""
    parts = []
    for value, label in enumerate(report.labels):
        covered = float((picture.mask == value).mean())
        if value and covered:
            parts.append(f"{label} on {wording.percent(covered)} of the picture")
    return ", ".join(parts) or f"{report.labels[0]} everywhere"


def _size(report: Report) -> tuple[int, int]:
    """Width and height of the pictures shown."""
    if not report.shown:
        return (1, 1)
    height, width = report.shown[0].mask.shape
    return width, height


def _css(colour: str) -> str:
    """`0xRRGGBBAA` as CSS writes it, opaque, for a legend."""
    return "#" + colour.removeprefix("0x")[:6]
