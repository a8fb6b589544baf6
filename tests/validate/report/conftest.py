"""Opens reports in the system's Chromium; playwright steers it, and downloads no browser."""

import shutil

import pytest

from validate.report.html import to_html

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="package")
def problems():
    """The errors and warnings of the tab's console, and what it loads from elsewhere."""
    return []


@pytest.fixture(scope="package")
def tab(problems):
    """One tab of a fresh browser; --no-sandbox because Chromium has none for root."""
    api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: requirements.txt pins it"
    )
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("no Chromium on this machine: install it to test the page in a browser")

    def note_message(message):
        if message.type in ("error", "warning"):
            problems.append(message.text)

    def note_error(error):
        problems.append(error.message)

    def note_request(request):
        if not request.url.startswith(("file:", "data:")):
            problems.append(request.url)

    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", note_message)
        page.on("pageerror", note_error)
        page.on("request", note_request)
        yield page
        browser.close()


@pytest.fixture
def opened(tab, tmp_path, problems):
    """Opens a report in the tab; at the end nothing may have gone wrong or been loaded."""

    def show(report, width=1200, height=900, scheme="light"):
        path = tmp_path / "report.html"
        path.write_text(to_html(report), encoding="utf-8")
        tab.set_viewport_size({"width": width, "height": height})
        tab.emulate_media(color_scheme=scheme)
        tab.goto(path.as_uri())
        return tab

    problems.clear()
    yield show
    assert problems == []
