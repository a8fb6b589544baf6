"""Read the JSON that the app's parity screen shares, with what it measured on a device."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from export.schema import read_valid
from models.errors import InputError
from validate.report.markdown import escaped, table
from validate.results.numbers import NOTHING, percent, share

SCHEMA_FILE = Path(__file__).with_name("device_report.schema.json")
REMEDY = "Share it again from the app."
COLUMNS = (
    "compute units",
    "agreement",
    "decisive flips",
    "largest error",
    "median ms",
    "p90 ms",
    "verdict",
)
UNITS = {
    "all": "all",
    "cpu_and_gpu": "CPU and GPU",
    "cpu_and_neural_engine": "CPU and Neural Engine",
    "cpu_only": "CPU",
}


@dataclass(frozen=True)
class DeviceRun:
    """Hold one pass over the golden samples.

    `agreement` is a share of all pixels, `largest_error` one of the logit range; both are None
    where no sample was compared. Times are in milliseconds, None where none was taken.
    """

    units: str
    samples: int
    agreement: float | None
    decisive_flips: int
    largest_error: float | None
    median: float | None
    percentile90: float | None
    failure: str | None
    passed: bool


@dataclass(frozen=True)
class DeviceReport:
    """Hold a whole report; `failed_samples` names samples that did not pass, by compute units."""

    device: str
    system: str
    app: str
    model: str
    checkpoint: str
    created: str
    reason: str
    runs: tuple[DeviceRun, ...]
    failed_samples: Mapping[str, tuple[str, ...]]

    @property
    def passed(self) -> bool:
        """Tell whether there was a run and every one passed."""
        return bool(self.runs) and all(run.passed for run in self.runs)

    @property
    def sentence(self) -> str:
        """Return the verdict for people."""
        where = f"{self.device} ({self.system})"
        if self.passed:
            return f"{self.model} agrees with PyTorch on {where}, on every choice of units."
        if not self.runs:
            return f"Nothing was judged on {where}."
        failed = ", ".join(UNITS[run.units] for run in self.runs if not run.passed)
        return f"{self.model} does not agree with PyTorch on {where}: {failed}."


def read_device_report(path: Path) -> DeviceReport:
    """Read the file that the app shared.

    Raise InputError when there is none, it is damaged, or it contradicts itself.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist: give the file that the app shared.")
    document = read_valid(path, SCHEMA_FILE, "a device report", REMEDY)
    report = _report_from(document)
    if report.passed != document["passed"]:
        raise InputError(
            f"{path} contradicts itself: its verdict is not what its runs say. Share it again "
            "from the app."
        )
    return report


def rows(report: DeviceReport) -> list[tuple[str, ...]]:
    """Return the cells of each run, under COLUMNS."""
    return [
        (
            UNITS[run.units],
            NOTHING if run.agreement is None else share(run.agreement),
            f"{run.decisive_flips:,}",
            NOTHING if run.largest_error is None else percent(run.largest_error),
            NOTHING if run.median is None else f"{run.median:.1f}",
            NOTHING if run.percentile90 is None else f"{run.percentile90:.1f}",
            "passed" if run.passed else f"failed: {run.failure}" if run.failure else "failed",
        )
        for run in report.runs
    ]


def to_markdown(report: DeviceReport) -> str:
    """Return the report's sentence, its table, and the samples that did not pass."""
    lines = [f"### {escaped(report.sentence)}", "", table(COLUMNS, rows(report))]
    for units, samples in report.failed_samples.items():
        lines += ["", f"Not passed on {UNITS[units]}: {', '.join(map(escaped, samples))}."]
    lines += [
        "",
        f"Measured {escaped(report.created)} with the app's version {escaped(report.app)}.",
    ]
    return "\n".join(lines) + "\n"


def _report_from(document: Mapping[str, Any]) -> DeviceReport:
    runs = tuple(_run_from(run) for run in document["runs"])
    failed = {
        run["compute_units"]: names
        for run in document["runs"]
        if (names := tuple(s["sample"] for s in run["samples"] if not s["passed"]))
    }
    return DeviceReport(
        device=document["device"]["model"],
        system=document["device"]["system"],
        app=document["device"]["app"],
        model=document["model"]["name"],
        checkpoint=document["model"]["checkpoint_sha256"],
        created=document["created"],
        reason=document["gate"]["reason"],
        runs=runs,
        failed_samples=failed,
    )


def _run_from(run: Mapping[str, Any]) -> DeviceRun:
    samples = run["samples"]
    pixels = sum(sample["pixels"] for sample in samples)
    errors = [s["largest_error"] for s in samples if s.get("largest_error") is not None]
    latency = run.get("inference_milliseconds") or {}
    failure = run.get("failure")
    return DeviceRun(
        units=run["compute_units"],
        samples=len(samples),
        agreement=sum(s["agreeing"] for s in samples) / pixels if pixels else None,
        decisive_flips=sum(sample["decisive_flips"] for sample in samples),
        largest_error=max(errors, default=None),
        median=latency.get("median"),
        percentile90=latency.get("percentile90"),
        failure=failure,
        passed=failure is None and bool(samples) and all(s["passed"] for s in samples),
    )
