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
from validate.images.samples import RENDERED_ORIGIN, Skipped
from validate.metrics.comparison import compare, measure
from validate.metrics.decision_values import scale_of
from validate.metrics.float16_noise import Noise
from validate.metrics.tolerances import TABLE
from validate.report import commands, text, write
from validate.report.console import print_report
from validate.report.data_uri import difference_uri, mask_uri
from validate.report.html import to_html
from validate.report.json_file import read_results
from validate.report.markdown import to_markdown
from validate.report.write import write_results
from validate.results import numbers
from validate.results.parity import ArtifactResult, PictureResult, Report, SampleFacts
from validate.results.thumbnails import error_levels, shown_picture
from validate.runtimes import Outputs

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
        tolerance=TABLE["onnx", "float32"],
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
    shown = shown_picture(
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
        (
            (result(), NOT_RUN),
            "not all judged",
            "Not proven: tiny.mlpackage could not be judged (Core ML: macOS only); "
            "1 other file computes what PyTorch computes on 1 picture.",
        ),
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
    """Collects tags, their attributes and the text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_needs_nothing_else_and_escapes_names():
    html = to_html(report(result(), NOT_RUN))
    page = Parsed(html)
    assert page.tags.count("script") == 1  # ours
    assert WICKED in " ".join(page.words)
    links = [each[name] for _, each in page.attributes for name in ("src", "href") if name in each]
    assert all(link.startswith("#") for link in links)
    urls = re.findall(r"url\((.*?)\)", html)
    assert all(re.match(r"\"?data:image/(webp|png|svg\+xml)[;,]", url) for url in urls)
    policy = next(each["content"] for _, each in page.attributes if "http-equiv" in each)
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert not any(name.startswith("on") for _, each in page.attributes for name in each)


def test_every_picture_of_the_page_is_told_in_words():
    page = Parsed(to_html(report(result(), NOT_RUN)))
    pictures = [each for _, each in page.attributes if each.get("role") == "img"]
    told = [each["aria-label"] for each in pictures if "aria-label" in each]
    assert any(line.startswith(f"PyTorch’s mask on {WICKED}: <b>rust</b> on ") for line in told)
    assert any(line.startswith(f"ONNX on {WICKED}: ") for line in told)
    assert all("aria-label" in each or "aria-labelledby" in each for each in pictures)


def test_the_verdict_stands_first_on_the_page():
    judged = report(FAILED)
    words = " ".join(Parsed(to_html(judged)).words)
    assert words.index(judged.sentence) < words.index("Files")


def test_markdown_is_a_table_that_names_cannot_break():
    shown = to_markdown(report(result(name="a|b<i>.onnx"), NOT_RUN))
    rows = [line for line in shown.splitlines() if line.startswith("|")]
    cells = {len(re.split(r"(?<!\\)\|", line)) for line in rows[:4]}
    assert cells == {10}
    assert "<" not in shown
    assert "not run here" in shown


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
    lines = printed(report(FAILED, NOT_RUN), width=200).splitlines()
    assert re.search(r"^ONNX +ONNX Runtime +\S+ dB .* failed", lines[1])
    assert "tiny.mlpackage (Core ML) not run here: macOS only." in lines
    assert f"  {WICKED}: not a picture" in lines
    assert "Parity failed" not in "".join(lines)  # the error of the command says so


def test_console_table_on_a_terminal_ends_with_the_verdict():
    shown = printed(report(), force_terminal=True, color_system=None, width=200)
    assert re.search(r"^ONNX +ONNX Runtime +\S+ dB .* passed", shown, re.MULTILINE)
    assert re.search(r"^mlprogram +Core ML .* not run", shown, re.MULTILINE)
    shown = printed(report(result()), width=200)
    assert shown.rstrip().endswith(report(result()).sentence)


def test_a_failed_write_leaves_the_earlier_results(tmp_path, monkeypatch):
    write_results(report(), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    real = Path.write_text

    def full(self, text, *args, **kwargs):
        if text.startswith("<!doctype html>"):  # what it is written under for now has any name
            raise OSError(28, "No space left on device", str(self))
        return real(self, text, *args, **kwargs)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(InputError, match="No space left on device"):
        write_results(report(FAILED), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_interruption_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(judged):
        raise KeyboardInterrupt

    monkeypatch.setattr(write, "to_html", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_results(report(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def decoded(uri):
    import base64

    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).convert("RGBA"))


def test_a_mask_is_painted_in_its_colours_to_the_pixel():
    mask = np.random.default_rng(0).integers(0, 3, (20, 30)).astype(np.uint8)
    drawn = decoded(mask_uri(mask, ("0x00000000", "0xFF000080", "0x00FF0099")))
    colours = np.array([[0, 0, 0, 0], [255, 0, 0, 128], [0, 255, 0, 153]])
    assert (drawn == colours[mask]).all()


def test_a_single_differing_pixel_is_seen_in_a_large_picture():
    image, mask = np.full((2000, 1500, 3), 200, np.uint8), np.zeros((2000, 1500), np.uint8)
    other = mask.copy()
    other[1999, 1498] = 1
    shown = shown_picture("x", image, mask, {0: other, 1: mask.copy()})
    assert shown.differs.keys() == {0}
    assert shown.image.shape == (*shown.mask.shape, 3) == (500, 375, 3)
    drawn = decoded(difference_uri(shown.differs[0]))
    assert (drawn[-2:, -2:] == [255, 0, 170, 255]).all()
    assert (drawn[:-10, :-10, 3] == 0).all()


@pytest.mark.parametrize(
    ("value", "expected"), [(1.0, "100 %"), (0.99, "99.00 %"), (0.9999999, "99.99999 %")]
)
def test_shares_are_never_rounded_up_to_all(value, expected):
    assert numbers.share(value) == expected


def test_figures_read_well():
    assert numbers.percent(0.00123) == "0.12 %"
    assert numbers.percent(1.5e-6) == "0.00015 %"
    assert numbers.decibels(None) == "no error"
    assert numbers.size(1500) == "1.5 kB"
    nearly = replace(measured(0.0)[0].classes[0], iou=0.999999, intersection=999_999)
    assert text.overlap(nearly).startswith("0.999999 (999,999 of ")
    assert text.overlap(replace(nearly, iou=None)) == "empty in both"


def test_times_stand_apart_and_name_the_reference_runtime():
    runtime = "Core ML reference"
    judged = report(replace(result("tiny.mlpackage"), format="mlprogram", runtime=runtime))
    assert not any("ms" in column for column in text.COLUMNS)
    for told in (to_markdown(judged), to_html(judged).replace("&#39;", "'"), printed(judged)):
        assert "on this machine" in told
        assert "Segport's reference runtime" in told
    assert "12 (0.50×)" in to_markdown(judged)


def test_pixels_differ_and_not_labels():
    found = measured(0.0)[0]
    assert text.flips(found) == "no pixel differs"
    assert text.flips(replace(found, flips=1)) == "1 pixel differs"
    told = text.flips(replace(found, flips=1837, decisive_flips=12))
    assert told == "1,837 pixels differ, 12 decisively"


def test_the_same_run_again_is_a_command_that_a_shell_takes():
    judged = replace(report(FAILED), bundle="a b", samples=SampleFacts("my photos", 1, ()))
    assert commands.repeat(judged) == "segport validate 'build/a b' --samples 'my photos'"
    assert commands.explain(judged).endswith(" --drift")
    assert commands.explain(report()) is None
    assert commands.explain(replace(judged, facts={"Reference": "stored"})) is None
    rendered = replace(judged, samples=SampleFacts(RENDERED_ORIGIN, 1, ()))
    assert "--samples" not in commands.repeat(rendered)


def test_error_levels_are_factors_of_four_above_the_tolerated_error():
    logits = np.zeros((2, 1, 6), np.float32)
    logits[1] = 10  # decision values of -5 and 5: the scale is 10, and 1 % of it is 0.1
    expected = Outputs(logits, np.ones((1, 6), np.int32))
    other = logits.copy()
    other[1] += 2 * np.array([0, 0.099, 0.101, 0.39, 0.41, 1000], np.float32)
    levels = error_levels(expected, Outputs(other, expected.mask), 0.01, scale_of([expected]))
    assert levels.tolist() == [[0, 0, 1, 1, 2, 6]]


def test_errors_and_proportions_survive_the_reduction():
    image, mask = np.zeros((1024, 1024, 3), np.uint8), np.zeros((1000, 1000), np.uint8)
    levels = np.zeros((1000, 1000), np.uint8)
    levels[999, 3] = 4
    shown = shown_picture("x", image, mask, {0: mask}, {0: levels, 1: 0 * levels}, 4 / 3)
    assert shown.errors.keys() == {0}
    assert shown.errors[0].shape == shown.mask.shape == (500, 500)
    assert shown.errors[0][499, 1] == 4
    assert shown.proportions == pytest.approx(4 / 3)
