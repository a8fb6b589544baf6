"""Write `README.md`, the model card: it explains a bundle to somebody who has nothing else."""

from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from export.bundle import Bundle
from export.result_files import CARD_MARKER
from validate.images.overlay import rgba
from validate.metadata.expected import KIND, interface
from validate.report.markdown import escaped
from validate.results.numbers import FORMATS
from validate.results.parity import Report

TEMPLATES = Path(__file__).with_name("templates")


def to_card(report: Report, bundle: Bundle) -> str:
    """Return the text of the `README.md` of `bundle`, whose last verdict is `report`.

    What a bundle says of itself is escaped for Markdown wherever it stands outside of code.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=False,
        finalize=_escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    artifacts = bundle.artifacts
    return environment.get_template("card.md").render(
        marker=Markup(CARD_MARKER),
        bundle=bundle,
        contract=bundle.contract,
        report=report,
        classes=list(_classes(bundle)),
        decision=_decision(bundle),
        files=[(artifact, interface(bundle, artifact)) for artifact in artifacts],
        formats=FORMATS,
        model=next((artifact for artifact in artifacts if artifact.format in KIND), None),
    )


def _escaped(value: object) -> str:
    return value if isinstance(value, Markup) else escaped(str(value))


def _classes(bundle: Bundle) -> Iterator[tuple[str, str, str]]:
    """Yield each label with where the mask has it, and its colour."""
    place = "channel {}" if bundle.specification.independent else "value {}"
    pairs = zip(bundle.labels, bundle.colours, strict=True)
    for number, (label, colour) in enumerate(pairs):
        red, green, blue, alpha = rgba(colour)
        shown = f"#{red:02X}{green:02X}{blue:02X}, {alpha / 255:.0%} opaque" if alpha else "clear"
        yield place.format(number), label, shown


def _decision(bundle: Bundle) -> str:
    """Say what makes the mask of the logits."""
    if bundle.specification.classes == 1:
        return "1 where the logit is above 0, a probability above one half"
    if bundle.specification.independent:
        return "1 in each channel whose logit is above 0, a probability above one half"
    return "the channel with the largest logit"
