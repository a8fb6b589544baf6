"""`parity.json`: a report as data, held against its JSON Schema on the way out and in."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from export.schema import require_valid
from models.errors import InputError
from validate.comparison import ClassOverlap, Metrics
from validate.decisions import Region
from validate.noise import Noise
from validate.results import ArtifactResult, PictureResult, Report, SampleFacts
from validate.samples import Skipped
from validate.tolerances import Tolerance, TolerancesFile

RESULTS = "parity.json"
SCHEMA_FILE = Path(__file__).with_name("parity.schema.json")
REMEDY = "Run `make validate` again."


def to_json(report: Report) -> str:
    """The text of `parity.json`, checked against its schema."""
    document = asdict(replace(report, shown=()))
    del document["shown"]
    document |= {"verdict": report.verdict, "sentence": report.sentence}
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    require_valid(json.loads(text), SCHEMA_FILE, Path(RESULTS), "parity results", REMEDY)
    return text


def read_results(path: Path) -> Report:
    """Read a `parity.json`, or the one in a folder; pictures for the page are not stored in it.

    Raises InputError when there is none, or it is not one of ours.
    """
    path = path / RESULTS if path.is_dir() else path
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as parity results: {error}. {REMEDY}") from None
    require_valid(document, SCHEMA_FILE, path, "parity results", REMEDY)
    return _report_from(document)


def _report_from(document: Mapping[str, Any]) -> Report:
    data = {key: value for key, value in document.items() if key not in ("verdict", "sentence")}
    samples = data["samples"]
    skipped = tuple(Skipped(**each) for each in samples["skipped"])
    data["samples"] = SampleFacts(samples["origin"], samples["used"], skipped)
    given = data["tolerances"]
    data["tolerances"] = TolerancesFile(**given) if given else None
    data["noise"] = Noise(**data["noise"]) if data["noise"] else None
    data["results"] = tuple(_result_from(result) for result in data["results"])
    return Report(**data | {key: tuple(data[key]) for key in ("labels", "colours")})


def _result_from(result: Mapping[str, Any]) -> ArtifactResult:
    return ArtifactResult(
        **{
            **result,
            "reasons": tuple(result["reasons"]),
            "tolerance": Tolerance(**result["tolerance"]) if result["tolerance"] else None,
            "total": _metrics_from(result["total"]) if result["total"] else None,
            "worst": _picture_from(result["worst"]) if result["worst"] else None,
            "pictures": tuple(_picture_from(picture) for picture in result["pictures"]),
        }
    )


def _picture_from(picture: Mapping[str, Any]) -> PictureResult:
    return PictureResult(picture["name"], _metrics_from(picture["metrics"]))


def _metrics_from(metrics: Mapping[str, Any]) -> Metrics:
    classes = tuple(ClassOverlap(**overlap) for overlap in metrics["classes"])
    regions = {name: Region(**metrics[name]) for name in ("boundary", "interior")}
    return Metrics(**{**metrics, **regions, "classes": classes})
