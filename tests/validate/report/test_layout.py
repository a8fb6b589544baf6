"""The look of the page in a browser: narrow and wide, light and dark, on paper, by keyboard."""

import io
from dataclasses import replace

import numpy as np
import pytest
from made_reports import NOT_RUN, SAMPLES, made_drift, made_ranges, made_report
from PIL import Image

WIDTHS = (390, 1024, 1600)
LONG = "rear_window_with_a_very_long_label_that_somebody_generated" + "d" * 60
OVERLAPS = """() => [...document.querySelectorAll("svg[role]")].flatMap((svg) => {
  const texts = [...svg.querySelectorAll("text")].filter((each) => each.getClientRects().length);
  const boxes = texts.map((each) => each.getBoundingClientRect());
  const meet = (a, b) =>
    a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom;
  return texts.flatMap((text, i) => texts.slice(0, i).filter((_, j) => meet(boxes[i], boxes[j]))
    .map((other) => `${text.textContent} on ${other.textContent}`));
})"""
FAINT = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const over = ([r, g, b, a = 1], under) => [r, g, b].map((c, i) => a * c + (1 - a) * under[i]);
  const behind = (each) => !each ? [255, 255, 255]
    : over(numbers(getComputedStyle(each).backgroundColor), behind(each.parentElement));
  const opacity = (each) =>
    each ? getComputedStyle(each).opacity * opacity(each.parentElement) : 1;
  const light = (colour) => colour.map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (each) => {
    const style = getComputedStyle(each);
    const [r, g, b, a = 1] = numbers(each.closest("svg") ? style.fill : style.color);
    const under = each.matches(".tag") ? over([0, 0, 0, 0.65], [255, 255, 255]) : behind(each);
    const [one, two] = [light(over([r, g, b, a * opacity(each)], under)), light(under)];
    return (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
  };
  const told = (each) => each.getClientRects().length && !each.matches("title")
    && [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  return [...document.querySelectorAll("body *")].filter((each) => told(each)
    && contrast(each) < 4.5).map((each) => `${each.textContent}: ${contrast(each)}`);
}"""


def everything(**options):
    """A failed report with every section, long names and all details open."""
    report = made_report(broken=True, labels=21, **options)
    results = tuple(replace(each, path=f"{LONG}{each.path}") for each in report.results)
    return replace(
        report,
        bundle=LONG,
        results=results,
        labels=(*report.labels[:-1], LONG),
        drift=made_drift(400, 300, names=("e" * 60, "d" * 60)),
        ranges=made_ranges("d" * 120),
    )


def passed():
    report = made_report()
    return replace(report, results=tuple(each for each in report.results if each != NOT_RUN))


REPORTS = {"passed": passed, "not run": made_report, "everything": everything}


def open_details(page):
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("width", [320, 850, 880, 1060, *WIDTHS])
def test_no_width_overflows(opened, width, name):
    page = opened(REPORTS[name](), width=width)
    open_details(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    clipped = (
        "[...document.querySelectorAll('article')].filter((each) => "
        "each.scrollWidth > each.clientWidth).map((each) => each.textContent)"
    )
    assert page.evaluate(clipped) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_texts_of_the_charts_do_not_overlap(opened, width):
    report = replace(made_report(broken=True), drift=made_drift(), ranges=made_ranges())
    page = opened(report, width=width)
    assert page.locator(".charts .tick:visible").count() > 4
    assert page.evaluate(OVERLAPS) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", REPORTS)
def test_every_text_has_contrast(opened, name, scheme):
    page = opened(REPORTS[name](), scheme=scheme)
    open_details(page)
    assert page.evaluate(FAINT) == []


def pixels(page):
    return np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))


def test_dark_where_the_reader_wants_it(opened):
    report = made_report()
    light, dark = (pixels(opened(report, scheme=scheme)) for scheme in ("light", "dark"))
    assert light.std() > 10 and dark.std() > 10  # something is drawn
    assert light.mean() > 150
    assert dark.mean() < 80


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("place", [".stage", ".thumb", "dialog .stage"])
def test_photos_have_their_own_proportions(opened, width, place):
    page = opened(made_report(), width=width)
    if place.startswith("dialog"):
        page.locator(".enlarge").first.click()
    box = page.locator(place).first.bounding_box()
    with Image.open(SAMPLES[0]) as photo:
        proportions = photo.width / photo.height
    assert box["width"] / box["height"] == pytest.approx(proportions, rel=0.02)


def test_a_narrow_table_is_in_line(opened):
    page = opened(made_report(), width=390)
    rows = page.evaluate(
        "[...document.querySelectorAll('.files tbody tr:first-child td')].map((cell) => "
        "[cell.getBoundingClientRect().left, cell.getBoundingClientRect().right])"
    )
    assert len(rows) == 7
    assert len(set(map(tuple, rows))) == 1


def test_the_legend_of_the_pictures_has_swatches_only(opened):
    page = opened(replace(made_report(), ranges=made_ranges()))
    drawn = page.evaluate(
        "[...document.querySelectorAll('.keys')].map("
        "(each) => getComputedStyle(each.querySelector('span'), '::before').content)"
    )
    assert sorted(drawn) == ['""', "none"]  # the chart's lines, and none beside the pictures


def test_what_has_the_focus_is_outlined(opened):
    page = opened(replace(made_report(broken=True), drift=made_drift()))
    count = page.locator("a, summary, select, button, input:not([type=radio])").count()
    outlined = (
        "(() => { const at = document.activeElement; const parts = [at, at.parentElement];"
        " return parts.some((each) => getComputedStyle(each).outlineStyle === 'solid'); })()"
    )
    for _ in range(count):
        page.keyboard.press("Tab")
        assert page.evaluate(outlined), page.evaluate("document.activeElement.outerHTML")


def test_paper_shows_the_pictures_and_no_controls(opened):
    page = opened(everything(), width=794, scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator(".tools, nav, .enlarge, .stage input").filter(visible=True).count() == 0
    assert page.locator(".stage .right").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 794
    paper = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    page.emulate_media(media="screen")
