"""`report.html`: the report as one page that needs nothing else, not even a network."""

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from validate import wording
from validate.drawing import difference_uri, overlay_uri, photo_uri
from validate.results import ArtifactResult, Report, ShownPicture

TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Difference:
    """One result on one picture: how many labels differ, and a picture of where, if any does."""

    path: str
    runtime: str
    flips: int
    decisive: int
    picture: str | None


@dataclass(frozen=True)
class Card:
    """One picture of the page; the pictures are data URIs."""

    name: str
    photo: str
    overlay: str
    labelled: str
    differences: tuple[Difference, ...]


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
    differences = [
        _difference(report.results[index], picture, index) for index in sorted(picture.masks)
    ]
    return Card(
        name=picture.name,
        photo=photo_uri(picture.image),
        overlay=overlay_uri(picture.image, picture.mask, report.colours),
        labelled=_labelled(report, picture),
        differences=tuple(differences),
    )


def _difference(result: ArtifactResult, picture: ShownPicture, index: int) -> Difference:
    mask = picture.masks[index]
    metrics = [each.metrics for each in result.pictures if each.name == picture.name]
    return Difference(
        path=result.path,
        runtime=result.runtime,
        flips=int((mask != picture.mask).sum()),
        decisive=metrics[0].decisive_flips if metrics else 0,
        picture=difference_uri(picture.image, picture.mask, mask),
    )


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
