"""What is written: JSON that comes back, Markdown, a page and console lines, safe and whole."""

import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from models.errors import InputError
from validate import wording, writing
from validate.comparison import compare, measure
from validate.console import print_report
from validate.drawing import difference_uri, overlay_uri
from validate.markdown import to_markdown
from validate.noise import Noise
from validate.page import to_html
from validate.results import ArtifactResult, PictureResult, Report, SampleFacts, ShownPicture
from validate.runtimes import Outputs
from validate.samples import Skipped
from validate.storage import read_results
from validate.tolerances import TABLE
from validate.writing import write_results

WICKED = "[bold]<script>alert(1)</script>|`x`.jpg"


def measured(noise):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2, 8, 10)).astype(np.float32)
    other = (logits + noise * rng.normal(size=logits.shape)).astype(np.float32)
    sides = [Outputs(each, each.argmax(0).astype(np.int32)) for each in (logits, other)]
    return measure(compare(*sides, 1e-3, 1e-3)), sides


def result(name="tiny.onnx", status="passed", noise=1e-5, reasons=()):
    metrics, _ = measured(noise)
    picture = PictureResult(WICKED, metrics)
    return ArtifactResult(
        format="onnx",
        path=name,
        precision="float32",
        size=1_500_000,
        runtime="ONNX Runtime",
        status=status,
        reasons=reasons,
        tolerance=TABLE["float32"],
        total=metrics,
        worst=picture,
        pictures=(picture,),
        milliseconds=12.0,
        ratio=0.5,
    )


NOT_RUN = ArtifactResult(
    "mlprogram", "tiny.mlpackage", "float16", 9, "Core ML", "not run", ("macOS only",)
)


def report(*results):
    _, (reference, other) = measured(3.0)
    shown = ShownPicture(
        WICKED,
        np.full((8, 10, 3), 90, np.uint8),
        reference.mask.astype(np.uint8),
        {0: other.mask.astype(np.uint8)},
    )
    return Report(
        bundle=WICKED,
        created="2026-01-01T00:00:00+00:00",
        facts={"Checkpoint": WICKED},
        labels=("background", "<b>rust</b>"),
        colours=("0x00000000", "0xD55E0099"),
        samples=SampleFacts("photos", 1, (Skipped(WICKED, "not a picture"),)),
        noise=Noise(0.001, 75.0),
        milliseconds=24.0,
        results=results or (result(), NOT_RUN),
        machine={"System": "x"},
        seconds=1.5,
        shown=(shown,),
    )


FAILED = result(status="failed", reasons=("its PSNR is 20.0 dB, 85.0 dB are required",))


def test_results_come_back_from_json(tmp_path):
    written = report(result(), FAILED, NOT_RUN, result(noise=0.0))
    write_results(written, tmp_path)
    assert read_results(tmp_path) == written
    document = json.loads((tmp_path / "parity.json").read_text())
    assert document["verdict"] == "failed"
    assert document["sentence"] == written.sentence


@pytest.mark.parametrize(
    "damage",
    [
        lambda document: document.pop("results"),
        lambda document: document.update(schema=2),
        lambda document: document["results"][0].update(status="fine"),
    ],
)
def test_other_json_is_refused(tmp_path, damage):
    write_results(report(), tmp_path)
    path = tmp_path / "parity.json"
    document = json.loads(path.read_text())
    damage(document)
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match="does not hold parity results"):
        read_results(path)
    path.write_text("{")
    with pytest.raises(InputError, match="cannot be read as parity results"):
        read_results(path)


@pytest.mark.parametrize(
    ("results", "verdict", "sentence"),
    [
        (
            (result(),),
            "passed",
            "Parity holds: 1 file computes what PyTorch computes on 1 picture.",
        ),
        ((result(), NOT_RUN), "passed", "on 1 picture. Not run here: tiny.mlpackage."),
        ((result(), FAILED), "failed", "tiny.onnx does not compute what PyTorch computes"),
        ((NOT_RUN,), "nothing judged", "Nothing was judged"),
    ],
)
def test_verdict(results, verdict, sentence):
    judged = report(*results)
    assert judged.verdict == verdict
    assert judged.passed == (verdict == "passed")
    assert sentence in judged.sentence


class Parsed(HTMLParser):
    """Collects tags, their sources and the text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.images, self.links, self.words = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append(tag)
        if tag == "img":
            self.images.append(attributes)
        self.links += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_needs_nothing_else_and_escapes_names():
    page = Parsed(to_html(report(result(), NOT_RUN)))
    assert "script" not in page.tags
    assert WICKED in " ".join(page.words)
    assert len(page.images) == 3  # the picture, PyTorch's mask, the difference of one format
    assert all(image["alt"] for image in page.images)
    assert all(link.startswith("data:image/jpeg;base64,") for link in page.links)


def test_the_verdict_stands_first_on_the_page():
    judged = report(FAILED)
    words = " ".join(Parsed(to_html(judged)).words)
    assert words.index(judged.sentence) < words.index("Files")


def test_markdown_is_a_table_that_names_cannot_break():
    text = to_markdown(report(result(name="a|b<i>.onnx"), NOT_RUN))
    rows = [line for line in text.splitlines() if line.startswith("|")]
    cells = {len(re.split(r"(?<!\\)\|", line)) for line in rows[:4]}
    assert cells == {11}
    assert "<" not in text
    assert "not run here" in text


def test_markdown_goes_to_the_summary_of_a_job(tmp_path, monkeypatch):
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    write_results(report(), tmp_path / "out")
    written = (tmp_path / "out" / "parity.md").read_text()
    assert summary.read_text() == "before\n" + written + "\n"


def printed(judged, **options):
    console = Console(file=io.StringIO(), **options)
    print_report(judged, console)
    return console.file.getvalue()


def test_console_lines_outside_a_terminal_are_plain():
    lines = printed(report(FAILED, NOT_RUN)).splitlines()
    assert lines[0].startswith("tiny.onnx: failed, size 1.5 MB, runtime ONNX Runtime, PSNR ")
    assert "tiny.mlpackage (Core ML) not run here: macOS only." in lines
    assert f"  {WICKED}: not a picture" in lines
    assert lines[-1] == report(FAILED, NOT_RUN).sentence


def test_console_table_on_a_terminal_ends_with_the_verdict():
    text = printed(report(), force_terminal=True, color_system=None, width=100)
    assert re.search(r"^ONNX +ONNX Runtime +\S+ dB .* passed", text, re.MULTILINE)
    assert re.search(r"^mlprogram +Core ML .* not run here", text, re.MULTILINE)
    assert text.rstrip().endswith("Not run here: tiny.mlpackage.")


def test_a_failed_write_leaves_the_earlier_results(tmp_path, monkeypatch):
    write_results(report(), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    real = Path.write_text

    def full(self, text, *args, **kwargs):
        if "report.html" in self.name:
            raise OSError(28, "No space left on device", str(self))
        return real(self, text, *args, **kwargs)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(InputError, match="No space left on device"):
        write_results(report(FAILED), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_interruption_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(judged):
        raise KeyboardInterrupt

    monkeypatch.setattr(writing, "to_html", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_results(report(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def decoded(uri):
    import base64

    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))))


def test_overlay_paints_labels_in_their_colours():
    image = np.full((32, 32, 3), 100, np.uint8)
    mask = np.zeros((32, 32), np.uint8)
    mask[:, 16:] = 1
    drawn = decoded(overlay_uri(image, mask, ("0x00000000", "0xFF000080"))).astype(int)
    assert np.abs(drawn[16, 4] - [100, 100, 100]).max() < 8
    assert np.abs(drawn[16, 28] - [178, 50, 50]).max() < 12


def test_difference_is_drawn_only_where_there_is_one():
    image, mask = np.full((32, 32, 3), 200, np.uint8), np.zeros((32, 32), np.uint8)
    assert difference_uri(image, mask, mask) is None
    other = mask.copy()
    other[10, 20] = 1
    drawn = decoded(difference_uri(image, mask, other)).astype(int)
    assert drawn[10, 20, 0] > 180
    assert drawn[25, 5].max() < 90


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "100 %"), (0.99, "99.00 %"), (0.9999999, "99.99999 %")]
)
def test_shares_are_never_rounded_up_to_all(value, text):
    assert wording.share(value) == text


def test_figures_read_well():
    assert wording.percent(0.00123) == "0.12 %"
    assert wording.percent(1.5e-6) == "0.00015 %"
    assert wording.decibels(None) == "no error"
    assert wording.size(1500) == "1.5 kB"
    nearly = replace(measured(0.0)[0].classes[0], iou=0.999999, intersection=999_999)
    assert wording.overlap(nearly).startswith("0.999999 (999,999 of ")
    assert wording.overlap(replace(nearly, iou=None)) == "empty in both"
