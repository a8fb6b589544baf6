"""The page in a browser: it opens without an error, can be used, and loads nothing."""

from dataclasses import replace

import pytest
from made_reports import made_drift, made_ranges, made_report

from validate.report.html import to_html

WICKED = ("<b>'\"&</b>", "</script><script>alert(1)</script>")
LIMIT = 10_000_000


def cut(page):
    return page.evaluate("document.querySelector('.stage').style.getPropertyValue('--cut')")


def test_the_slider_moves_by_keyboard(opened):
    slider = opened(made_report()).locator(".stage input").first
    slider.press("ArrowRight")
    assert cut(slider.page) == "51%"
    slider.press("Home")
    assert cut(slider.page) == "0%"
    assert slider.get_attribute("aria-valuetext") == "0 % PyTorch, 100 % Core ML mlprogram"


def test_the_slider_moves_by_mouse_and_shows_the_other_mask(opened):
    page = opened(made_report(broken=True))
    stage = page.locator(".stage").first
    stage.scroll_into_view_if_needed()
    before = page.screenshot()
    box = stage.bounding_box()
    stage.click(position={"x": 0.8 * box["width"], "y": box["height"] / 2})
    assert 75 < float(cut(page).rstrip("%")) < 85
    assert page.screenshot() != before


def test_a_choice_changes_the_right_side(opened):
    page = opened(made_report(broken=True))
    right = page.locator(".right").first
    # The file with the largest error comes first.
    assert right.get_attribute("aria-label").startswith("ONNX on ")
    page.locator("input[type=radio][value=photo]").first.check(force=True)
    assert right.get_attribute("aria-label").endswith("without a mask")
    assert style(right, "backgroundImage").startswith("none, url(")


def style(locator, name):
    return locator.evaluate(f"(each) => getComputedStyle(each).{name}")


def names(page):
    return page.locator("article:not([hidden]) h3").all_text_contents()


def test_differences_can_be_hidden(opened):
    page = opened(made_report())
    marks = page.locator(".marks").first
    assert style(marks, "display") == "block"
    page.select_option("#marks", "nothing")
    assert style(marks, "display") == "none"


def test_a_failed_report_shows_where_the_errors_are(opened):
    page = opened(made_report(broken=True))
    right = page.locator(".right").first
    errors = style(right, "backgroundImage")
    assert errors.count("url(") == 2  # errors and photo, no mask
    assert page.locator(".differs").is_hidden()
    page.select_option("#marks", "differences")
    assert style(right, "backgroundImage") != errors
    assert page.locator(".scale").is_hidden()
    assert page.locator(".files tbody th").first.text_content().startswith("made.onnx")
    assert page.locator(".tile b").first.text_content() == "ONNX"
    assert page.locator(".charts .name").first.text_content() == "ONNX"
    assert page.locator(".figures thead th").nth(1).text_content().startswith("made.onnx")


def test_the_commands_to_go_on_with_stand_near_the_top(opened):
    text = opened(made_report(broken=True)).text_content(".contract")
    assert "RGB, 96 × 96" in text
    assert "segport validate build/made --samples samples --drift" in text
    assert "--drift" not in opened(made_report()).text_content(".contract")


def test_pictures_are_found_by_name_and_by_what_differs(opened):
    page = opened(made_report(pictures=4))
    every = names(page)
    page.fill("#name", every[2][-12:].upper())
    assert names(page) == [every[2]]
    assert page.text_content("#count") == "1 of 4"
    page.fill("#name", "")
    page.select_option("#only", "failed")
    assert names(page) == []
    assert page.text_content("#count") == "none of 4"
    page.select_option("#only", "equal differs failed")
    assert names(page) == every


@pytest.mark.parametrize("width", [390, 1200])
def test_a_picture_is_enlarged_and_put_back_by_keyboard(opened, width):
    page = opened(made_report(), width=width)
    every, stage = names(page), page.locator(".stage").first
    before = stage.bounding_box()["width"]
    page.locator(".enlarge").first.press("Enter")
    large = page.locator("dialog .stage")
    assert large.bounding_box()["width"] > before
    assert page.evaluate("document.activeElement.textContent") == "Close"
    page.locator("dialog .stage input").press("ArrowRight")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog article", state="detached")
    assert names(page) == every
    assert stage.bounding_box()["width"] == before
    assert cut(page) == "51%"
    focused = "document.activeElement === document.querySelector('.enlarge')"
    assert page.evaluate(focused)
    assert page.evaluate("document.activeElement.textContent") == "Enlarge"


def test_an_enlarged_picture_fits_the_window(opened):
    page = opened(made_report(), width=1600, height=700)
    page.locator(".enlarge").first.click()
    box = page.locator("dialog").bounding_box()
    assert box["y"] >= 0 and box["y"] + box["height"] <= 700
    page.mouse.click(5, 5)
    page.wait_for_selector("dialog article", state="detached")


def test_the_drift_of_each_operation_is_told_by_keyboard(opened):
    page = opened(replace(made_report(), drift=made_drift()))
    told, slider = page.locator(".drift output").first, page.locator(".drift input").first
    assert told.text_content().startswith("conv input_25_cast_fp16 (decoder.blocks.0.25)")
    assert page.locator(".drift circle.departs").count() == 1
    slider.press("ArrowRight")
    assert told.text_content().startswith("relu input_26_cast_fp16")
    assert slider.get_attribute("aria-valuetext") == told.text_content()
    slider.press("Home")
    assert "with image__scaled__ before it" in told.text_content()
    assert page.evaluate("document.querySelector('.cursor').style.left") == "1%"


def test_wicked_names_stay_text(opened):
    page = opened(made_report(names=WICKED))
    assert page.evaluate("document.scripts.length") == 1
    assert page.locator("article h3").first.text_content().endswith(WICKED[1])
    assert page.locator(".plain b").count() == 0


def test_the_policy_stops_what_should_not_run(tab, tmp_path, problems):
    problems.clear()
    text = to_html(made_report()).replace("</main>", "</main><script>document.title=1</script>")
    path = tmp_path / "report.html"
    path.write_text(text, encoding="utf-8")
    tab.goto(path.as_uri())
    assert tab.title() == "made: not all judged"
    assert "Content Security Policy" in str(problems)


def processor_time(page):
    """Return the seconds that the tab's process has computed, however busy the machine is."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    metrics = session.send("Performance.getMetrics")["metrics"]
    session.detach()
    return next(each["value"] for each in metrics if each["name"] == "ProcessTime")


def test_a_hundred_pictures_stay_small_and_open_quickly(tab, opened):
    before = processor_time(tab)
    page = opened(made_report(pictures=100, labels=4, side=400))
    assert processor_time(page) - before < 2
    assert len(page.content()) < LIMIT
    assert page.locator("article").count() == 100


def test_a_file_that_stopped_at_a_later_picture_is_left_out_of_the_earlier_ones():
    report = made_report()
    stopped = replace(report.results[0], status="failed", reasons=("it stopped",), total=None)
    results = (replace(stopped, worst=None, pictures=(), tolerance=None), *report.results[1:])
    assert "it stopped" in to_html(replace(report, results=results))


def test_the_chart_of_ranges_says_what_float16_does_not_suit(opened):
    page = opened(replace(made_report(), ranges=made_ranges()))
    said = page.locator("#range-said")
    assert said.text_content() == "b (relu): its values reach 85,000, beyond 65,504."
    page.locator(".ranges input").press("ArrowRight")
    assert said.text_content().startswith("decoder.conv2 (conv)")
    assert said.text_content().endswith("kept in float32.")
    assert page.locator(".ranges circle.faulty").count() == 1
