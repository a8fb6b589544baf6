"""The page in a browser: it opens without an error, can be used, and loads nothing."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from headless_browser import browser, find_browser
from made_reports import SAMPLES, made_drift, made_report
from PIL import Image

from validate.report.html import to_html
from validate.results.ranges import Magnitudes, OperationRange, Ranges

WICKED = ("<b>'\"&</b>", "</script><script>alert(1)</script>")
LIMIT = 10_000_000


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    path = find_browser()
    if path is None:
        pytest.skip("no Chromium on this machine: install it to test the page in a browser")
    with browser(path, tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def opened(tab, tmp_path):
    """Opens a report in the tab; at the end nothing may have gone wrong or been loaded."""

    def show(report, **options):
        path = tmp_path / "report.html"
        path.write_text(to_html(report), encoding="utf-8")
        tab.open(path, **options)
        return tab

    tab.problems.clear()
    tab.requests.clear()
    yield show
    assert tab.problems == []
    assert all(url.startswith(("file:", "data:")) for url in tab.requests)


def cut(page):
    return page.evaluate("document.querySelector('.stage').style.getPropertyValue('--cut')")


def test_the_slider_moves_by_keyboard(opened):
    page = opened(made_report())
    page.evaluate("document.querySelector('.stage input').focus()")
    page.press("ArrowRight", 39)
    assert cut(page) == "51%"
    page.press("Home", 36)
    assert cut(page) == "0%"
    text = page.evaluate("document.querySelector('.stage input').ariaValueText")
    assert text == "0 % PyTorch, 100 % Core ML mlprogram"


def test_the_slider_moves_by_mouse_and_shows_the_other_mask(opened):
    page = opened(made_report(broken=True))
    before = np.asarray(page.screenshot())
    box = page.evaluate(
        "(() => { const stage = document.querySelector('.stage'); stage.scrollIntoView();"
        " const box = stage.getBoundingClientRect();"
        " return [box.x, box.y, box.width, box.height]; })()"
    )
    x, y, width, height = box
    page.click(x + 0.8 * width, y + height / 2)
    assert 75 < float(cut(page).rstrip("%")) < 85
    assert (np.asarray(page.screenshot()) != before).any()


def test_a_choice_changes_the_right_side(opened):
    page = opened(made_report(broken=True))
    right = "document.querySelector('.right').getAttribute('aria-label')"
    assert page.evaluate(right).startswith("ONNX on ")  # the file with the largest error
    page.evaluate("document.querySelector('input[type=radio][value=photo]').click()")
    assert page.evaluate(right).endswith("without a mask")
    shown = "getComputedStyle(document.querySelector('.right')).backgroundImage"
    assert page.evaluate(shown).startswith("none, url(")


def choose(page, control, value):
    page.evaluate(
        f"(() => {{ const control = document.querySelector('{control}');"
        f" control.value = '{value}';"
        " for (const kind of ['input', 'change']) control.dispatchEvent(new Event(kind)); })()"
    )


def shown(page):
    names = "[...document.querySelectorAll('article:not([hidden]) h3')].map((h) => h.textContent)"
    return page.evaluate(names)


def test_differences_can_be_hidden(opened):
    page = opened(made_report())
    display = "getComputedStyle(document.querySelector('.marks')).display"
    assert page.evaluate(display) == "block"
    choose(page, "#marks", "nothing")
    assert page.evaluate(display) == "none"


def test_a_failed_report_shows_where_the_errors_are(opened):
    page = opened(made_report(broken=True))
    right = "getComputedStyle(document.querySelector('.right')).backgroundImage"
    assert page.evaluate(right).count("url(") == 2  # errors and photo, no mask
    errors = page.evaluate(right)
    choose(page, "#marks", "differences")
    assert page.evaluate(right) != errors
    first = "document.querySelector('.files tbody th').textContent"
    assert page.evaluate(first).startswith("made.onnx")
    assert page.evaluate("document.querySelector('.tile b').textContent") == "ONNX"


def test_the_commands_to_go_on_with_stand_near_the_top(opened):
    told = "document.querySelector('.contract').textContent"
    text = opened(made_report(broken=True)).evaluate(told)
    assert "RGB, 96 × 96" in text
    assert "segport validate build/made --samples samples --drift" in text
    assert "--drift" not in opened(made_report()).evaluate(told)


def test_pictures_are_found_by_name_and_by_what_differs(opened):
    page = opened(made_report(pictures=4))
    names = shown(page)
    choose(page, "#name", names[2][-12:].upper())
    assert shown(page) == [names[2]]
    assert page.evaluate("document.querySelector('#count').textContent") == "1 of 4"
    choose(page, "#name", "")
    choose(page, "#only", "failed")
    assert shown(page) == []
    choose(page, "#only", "equal differs failed")
    assert shown(page) == names


def test_a_picture_can_be_enlarged(opened):
    page = opened(made_report())
    width = "document.querySelector('.stage').clientWidth"
    before = page.evaluate(width)
    page.evaluate("document.querySelector('.enlarge').click()")
    assert page.evaluate(width) > 1.5 * before
    page.evaluate("document.querySelector('.enlarge').click()")
    assert page.evaluate(width) == before


def test_photos_have_their_own_proportions(opened):
    page = opened(made_report())
    width, height = page.evaluate(
        "[document.querySelector('.stage').clientWidth,"
        " document.querySelector('.stage').clientHeight]"
    )
    with Image.open(SAMPLES[0]) as photo:
        assert width / height == pytest.approx(photo.width / photo.height, rel=0.02)


@pytest.mark.parametrize("width", [390, 1024, 1600])
def test_marks_of_the_charts_do_not_collide(opened, width):
    page = opened(made_report(broken=True), width=width)
    boxes = page.evaluate(
        "[...document.querySelectorAll('.charts svg')].map((svg) => "
        "[...svg.querySelectorAll('.tick')].map((each) => each.getBoundingClientRect())"
        ".filter((box) => box.width).map((box) => [box.left, box.right]))"
    )
    for chart in boxes:
        assert len(chart) > 2
        assert all(one[1] < other[0] for one, other in pairwise(chart))


def test_a_narrow_table_is_in_line(opened):
    page = opened(made_report(), width=390)
    lefts = page.evaluate(
        "[...document.querySelectorAll('.files tbody tr:first-child td')]"
        ".map((cell) => parseFloat(getComputedStyle(cell).paddingLeft))"
    )
    assert len(set(lefts)) == 1


@pytest.mark.parametrize("labels", [2, 16])
@pytest.mark.parametrize("width", [320, 390, 850, 880, 1060, 1200])
def test_no_width_overflows(opened, width, labels):
    report = made_report(labels=labels, broken=True)
    page = opened(report, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_dark_where_the_reader_wants_it(opened):
    report = made_report()
    light = np.asarray(opened(report, prefers_color_scheme="light").screenshot())
    dark = np.asarray(opened(report, prefers_color_scheme="dark").screenshot())
    assert light.std() > 10 and dark.std() > 10  # something is drawn
    assert light.mean() > 150
    assert dark.mean() < 80


def test_the_drift_of_each_operation_is_told_by_keyboard(opened):
    page = opened(replace(made_report(), drift=made_drift()))
    told = "document.querySelector('.drift output').textContent"
    assert page.evaluate(told).startswith("conv input_25_cast_fp16 (decoder.blocks.0.25)")
    assert page.evaluate("document.querySelectorAll('.drift circle.departs').length") == 1
    page.evaluate("document.querySelector('.drift input').focus()")
    page.press("ArrowRight", 39)
    assert page.evaluate(told).startswith("relu input_26_cast_fp16")
    assert page.evaluate("document.querySelector('.drift input').ariaValueText") == page.evaluate(
        told
    )
    page.press("Home", 36)
    assert "with image__scaled__ before it" in page.evaluate(told)
    assert page.evaluate("document.querySelector('.cursor').style.left") == "1%"


@pytest.mark.parametrize("width", [320, 1200])
def test_no_width_overflows_with_drift(opened, width):
    report = replace(made_report(), drift=made_drift(400, 300, names=("e" * 60, "d" * 60)))
    page = opened(report, width=width)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_wicked_names_stay_text(opened):
    page = opened(made_report(names=WICKED))
    assert page.evaluate("document.scripts.length") == 1
    assert page.evaluate("document.querySelector('article h3').textContent").endswith(WICKED[1])
    assert page.evaluate("document.querySelectorAll('.plain b').length") == 0


def test_the_policy_stops_what_should_not_run(tab, tmp_path):
    text = to_html(made_report()).replace("</main>", "</main><script>document.title=1</script>")
    path = tmp_path / "report.html"
    path.write_text(text, encoding="utf-8")
    tab.open(path)
    assert tab.evaluate("document.title") == "made: not all judged"
    assert "Content Security Policy" in str(tab.problems)


def test_a_hundred_pictures_stay_small_and_open_quickly(tab, opened):
    before = tab.processor_time()
    page = opened(made_report(pictures=100, labels=4, side=400))
    assert page.processor_time() - before < 2
    assert page.evaluate("document.documentElement.outerHTML.length") < LIMIT
    assert page.evaluate("document.querySelectorAll('article').length") == 100


def test_a_file_that_stopped_at_a_later_picture_is_left_out_of_the_earlier_ones():
    report = made_report()
    stopped = replace(report.results[0], status="failed", reasons=("it stopped",), total=None)
    results = (replace(stopped, worst=None, pictures=(), tolerance=None), *report.results[1:])
    assert "it stopped" in to_html(replace(report, results=results))


def made_ranges(module="decoder.conv2"):
    fine, wide = Magnitudes(12.0, 1e-3, 0.0, 2e-4), Magnitudes(84_700.0, 0.01, 0.0, 2e-4)
    rows = (
        OperationRange("a", "conv", "encoder.conv1", fine, Magnitudes(0.5, 1e-9, 0.1, 2e-4)),
        OperationRange("b", "relu", None, wide, None),
        OperationRange("c", "conv", module, wide, fine, pinned=True),
    )
    return Ranges(3, True, rows)


@pytest.mark.parametrize("width", [320, 1200])
def test_no_width_overflows_with_ranges(opened, width):
    page = opened(replace(made_report(), ranges=made_ranges("d" * 120)), width=width)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_legend_of_the_pictures_has_swatches_only(opened):
    page = opened(replace(made_report(), ranges=made_ranges()))
    drawn = page.evaluate(
        "[...document.querySelectorAll('.keys')].map("
        "(each) => getComputedStyle(each.querySelector('span'), '::before').content)"
    )
    assert sorted(drawn) == ['""', "none"]  # the chart's lines, and none beside the pictures


def test_the_chart_of_ranges_says_what_float16_does_not_suit(opened):
    page = opened(replace(made_report(), ranges=made_ranges()))
    said = page.evaluate("document.querySelector('#range-said').textContent")
    assert said == "b (relu): its values reach 85,000, beyond 65,504."
    page.evaluate("document.querySelector('.ranges input').focus()")
    page.press("ArrowRight", 39)
    said = page.evaluate("document.querySelector('#range-said').textContent")
    assert said.startswith("decoder.conv2 (conv)")
    assert said.endswith("kept in float32.")
    assert page.evaluate("document.querySelectorAll('.ranges circle.faulty').length") == 1
