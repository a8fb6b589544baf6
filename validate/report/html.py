"""Write `report.html`, one page that needs nothing else, not even a network."""

import base64
import hashlib
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from models.common.text import visible
from validate.images.overlay import Colour, rgba
from validate.report import commands, compression_text, text
from validate.report.data_uri import HEAT
from validate.report.drift_charts import drift_charts
from validate.report.drift_text import COLUMNS as DRIFT_COLUMNS
from validate.report.gallery import gallery
from validate.report.parity_charts import charts_of
from validate.report.range_charts import COLUMNS as RANGE_COLUMNS
from validate.report.range_charts import range_chart
from validate.results import numbers
from validate.results.parity import Report
from validate.results.thumbnails import LEVELS

TEMPLATES = Path(__file__).with_name("templates")
CONTRACT = ("Network", "Input", "Labels", "Activation")
"""Facts of the bundle that stand near the top."""


def to_html(report: Report) -> str:
    """Return the text of `report.html`; names are escaped wherever they stand, controls shown.

    Its Content-Security-Policy lets one script run, by its hash, and nothing be loaded.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = breakable
    cards = gallery(report)
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    page = environment.get_template("report.html").render(
        report=report,
        words=text,
        compression=compression_text,
        numbers=numbers,
        cards=cards,
        errors=any(layer.heat for card in cards for layer in card.layers),
        charts=charts_of(report),
        drifts=drift_charts(report.drift),
        drift_columns=DRIFT_COLUMNS,
        ranges=range_chart(report.ranges),
        range_columns=RANGE_COLUMNS,
        legend=_legend(report),
        results=[report.results[index] for index in text.ordered(report)],
        contract=CONTRACT,
        repeat=commands.repeat(report),
        explain=commands.explain(report),
        heat=[_css_of(colour) for colour in HEAT[1:]],
        most=f"{4 ** (LEVELS - 1):,}",
        script=Markup(script),
        script_hash=_hash(script),
    )
    return visible(page)


def breakable(name: str) -> Markup:
    """Escape a file's name, and let lines break behind its dots, underscores and hyphens.

    >>> print(breakable("my_net<1>.onnx"))
    my_<wbr>net&lt;1&gt;.<wbr>onnx
    """
    return Markup("<wbr>").join(escape(part) for part in re.split(r"(?<=[._-])", name))


def _hash(script: str) -> str:
    """Return the name of a script in a Content-Security-Policy."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")


def _legend(report: Report) -> list[tuple[str, str]]:
    """Return labels and colours, without the background."""
    pairs = list(zip(report.labels, map(_css, report.colours), strict=True))
    return pairs if report.independent else pairs[1:]


def _css(colour: str) -> str:
    """Return `0xRRGGBBAA` as CSS writes it, opaque, for a legend."""
    return _css_of(rgba(colour))


def _css_of(colour: Colour) -> str:
    return "#{:02X}{:02X}{:02X}".format(*colour[:3])
