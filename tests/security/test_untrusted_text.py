"""Names and labels of others are shown, and obeyed by no terminal, browser or spreadsheet."""

import csv
import io
import json
from dataclasses import replace
from html.parser import HTMLParser

import click
import pytest
from damagekit.vectors_records import report as device_report
from made_reports import made_report
from rich.console import Console

from models.common.cli import run
from models.common.console import PlainConsole
from models.common.text import OBEYED, one_line, visible
from models.errors import InputError
from validate.images.samples import Skipped
from validate.ios.report import read_device_report
from validate.ios.report import to_markdown as device_markdown
from validate.predict.areas import Area, PredictedPhoto, Predictions, write_areas
from validate.report.console import print_report
from validate.report.html import to_html
from validate.report.json_file import read_results, to_json
from validate.report.junit import to_junit
from validate.report.markdown import to_markdown
from validate.report.write import write_results

WICKED = (
    "\x1b]0;x\x07\x1b[2J\x9b31m\u202egpj\u2066\u200f\u2028\ufeff\u061c\x00\x7f"
    "|`<marquee>&](x)@a\n\r# x\udcff"
)
FORMULAS = ("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", WICKED, "a,b")


@pytest.fixture(scope="module")
def report():
    """A report in which whatever may be named by others is."""
    made = made_report(1, 2, 32, broken=True)
    results = tuple(replace(each, path=WICKED, reasons=(WICKED,)) for each in made.results)
    samples = replace(made.samples, origin=WICKED, skipped=(Skipped(WICKED, WICKED),))
    return replace(
        made,
        bundle=WICKED,
        labels=(WICKED, WICKED + "2"),
        results=results,
        samples=samples,
        facts={WICKED: WICKED, **made.facts},
    )


@pytest.mark.parametrize("write", [to_markdown, to_html, to_junit])
def test_no_report_holds_what_is_obeyed(report, write):
    text = write(report)
    assert not OBEYED.search(text)
    text.encode("utf-8")
    assert "x1b" in text or write is to_junit
    assert "202e" in text


def test_no_console_obeys_it(report):
    console = PlainConsole(file=io.StringIO())
    print_report(report, console)
    shown = console.file.getvalue()
    assert not OBEYED.search(shown)
    assert r"\x1b[2J\x9b31m\u202egpj" in shown
    assert isinstance(console, Console)


def test_markdown_has_no_line_link_or_tag_of_a_name(report):
    text = to_markdown(report)
    assert (
        "\n# x" not in text and "<marquee>" not in text and "](x)" not in text.replace(r"\](x)", "")
    )
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert all(row.endswith("|") for row in rows)


def test_the_page_has_no_tag_of_a_name(report):
    tags = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.append(tag)

    Tags().feed(to_html(report))
    assert "marquee" not in tags


def test_data_keeps_a_name_as_it_is(report, tmp_path):
    write_results(report, tmp_path)
    assert read_results(tmp_path).labels[0] == WICKED
    assert json.loads(to_json(report))["bundle"] == WICKED


def test_a_device_report_is_shown_too(tmp_path):
    document = device_report()
    document["device"]["model"] = document["runs"][0]["failure"] = WICKED
    (tmp_path / "device.json").write_text(json.dumps(document))
    text = device_markdown(read_device_report(tmp_path / "device.json"))
    assert not OBEYED.search(text) and "<marquee>" not in text


@pytest.mark.parametrize(
    "label", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", WICKED, "a,b"]
)
def test_a_spreadsheet_computes_nothing_of_a_label(tmp_path, label):
    photo = PredictedPhoto(label, (), "", 2, 2, (Area(label, 1, 25.0),))
    write_areas(Predictions("net", "net.onnx", "x", tiled=False, photos=(photo,)), tmp_path)
    text = (tmp_path / "areas.csv").read_text(encoding="utf-8")
    assert not OBEYED.search(text)
    _, row = csv.reader(io.StringIO(text))
    for cell in (row[0], row[3]):
        assert cell[0] not in "=+-@\t"
        assert cell.removeprefix("'") == one_line(label)
    assert json.loads((tmp_path / "areas.json").read_text())["photos"][0]["photo"] == label


def test_words_of_any_language_stay():
    text = "крыло, 左のドア, باب, דלת, café ✓ 👩‍🔧 נ\u200dא"
    assert visible(text) == one_line(text) == text


def test_a_message_is_cut(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["x"])

    @click.command()
    def refuse():
        raise InputError("a key of a file: " + "x" * 5_000_000)

    with pytest.raises(SystemExit):
        run(refuse, "x")
    assert len(capsys.readouterr().err) < 21_000
