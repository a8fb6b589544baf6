"""Write a report's files into a folder: all of them, or none."""

import os
from pathlib import Path

from export.bundle import Bundle
from export.result_files import CARD, DATA, JUNIT, MARKDOWN, PAGE
from export.unlisted import is_foreign_card
from models.errors import InputError
from validate.atomic import placed
from validate.report.html import to_html
from validate.report.json_file import to_json
from validate.report.junit import to_junit
from validate.report.markdown import to_markdown
from validate.report.model_card import to_card
from validate.results.parity import Report

SUMMARY = "GITHUB_STEP_SUMMARY"


def write_results(report: Report, folder: Path, bundle: Bundle | None = None) -> tuple[Path, ...]:
    """Write `parity.json`, `parity.md`, `junit.xml` and `report.html` into `folder`.

    Where it is the folder of `bundle`, also write its model card, `README.md`, unless somebody
    else's lies there. Return their paths. In a GitHub job, the Markdown is also appended to the
    job's summary. Earlier results are replaced only once all new files are complete. Raise
    InputError when the folder cannot be written to.
    """
    markdown = to_markdown(report)
    texts = {
        DATA: to_json(report),
        MARKDOWN: markdown,
        JUNIT: to_junit(report),
        PAGE: to_html(report),
    }
    if bundle is not None and not is_foreign_card(folder / CARD):
        texts[CARD] = to_card(report, bundle)
    try:
        written = _written(texts, folder)
        _append_to_summary(markdown)
    except OSError as error:
        raise InputError(
            f"The results cannot be written to {error.filename or folder}: {error.strerror}. Name "
            "another folder with OUT=."
        ) from None
    return written


def _written(texts: dict[str, str], folder: Path) -> tuple[Path, ...]:
    """Write `texts`, by name, so that an interruption leaves what was there."""
    folder.mkdir(parents=True, exist_ok=True)
    places = tuple(folder / name for name in texts)
    with placed(places) as parts:
        for part, text in zip(parts, texts.values(), strict=True):
            # Bytes of a name that are not UTF-8 are written as \udcff, which JSON reads back.
            part.write_text(text, encoding="utf-8", errors="backslashreplace")
    return places


def _append_to_summary(markdown: str) -> None:
    summary = os.environ.get(SUMMARY)
    if summary:
        with Path(summary).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(markdown + "\n")
