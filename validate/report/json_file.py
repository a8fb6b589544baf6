"""Write and read `parity.json`, a report as data, checked against its JSON Schema both times."""

import json
from dataclasses import asdict, replace
from pathlib import Path

from export.result_files import DATA
from export.schema import read_valid, require_valid
from models.common.json_codec import revive
from models.errors import InputError
from validate.results.parity import Report

SCHEMA_FILE = Path(__file__).with_name("parity.schema.json")
REMEDY = "Run `segport validate` again."


def to_json(report: Report) -> str:
    """Return the text of `parity.json`."""
    document = asdict(replace(report, shown=()))
    del document["shown"]
    document |= {"verdict": report.verdict, "sentence": report.sentence}
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    require_valid(json.loads(text), SCHEMA_FILE, Path(DATA), "parity results", REMEDY)
    return text


def read_results(path: Path) -> Report:
    """Read a `parity.json`, or the one in a folder; pictures for the page are not stored in it.

    Raise InputError when there is none, or it does not fit its schema.
    """
    path = path / DATA if path.is_dir() else path
    document = read_valid(path, SCHEMA_FILE, "parity results", REMEDY)
    derived = ("verdict", "sentence")
    data = {name: value for name, value in document.items() if name not in derived}
    try:
        report: Report = revive(Report, {**data, "shown": ()})
    except ValueError as error:  # what a schema does not say
        raise InputError(f"{path} cannot be used: {error}. {REMEDY}") from None
    return report
