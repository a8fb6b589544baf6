"""Each fault, put into a healthy bundle, makes the gate fail; the healthy bundle passes."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from fault_catalogue import Broken, Fault, faults
from sealed_bundles import sealed
from small_networks import ROOT

from export.bundle import read_bundle
from models.errors import InputError
from validate.parity.run import judge

FAULTS = tuple(faults())
PAGE = ROOT / "docs" / "faults.md"


def breaking(fault: Fault, healthy, another, place: Path) -> Path:
    """A copy of the healthy bundle with the fault in it."""
    network, source = healthy
    folder = place / "bundle"
    shutil.copytree(source, folder)
    bundle = read_bundle(folder)
    artifact = next(each for each in bundle.artifacts if each.format == fault.format)
    fault.apply(Broken(folder / artifact.path, bundle, network, another))
    return folder


def caught_by(folder: Path, checkpoint: Path, pictures: Path) -> tuple[str, ...]:
    """Why the gate fails; nothing where it does not."""
    report = judge(folder, checkpoint=checkpoint, samples=pictures, coreml="reference")
    return report.results[0].reasons if report.verdict == "failed" else ()


def test_the_healthy_bundle_passes(healthy, pictures):
    report = judge(
        healthy[1],
        checkpoint=healthy[1].parent.parent / "tiny.pt",
        samples=pictures,
        coreml="reference",
    )
    assert report.passed, report.sentence
    assert len(report.results) == 4


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.what}, {fault.format}")
def test_the_gate_catches(fault, healthy, another, pictures, tmp_path):
    folder = breaking(fault, healthy, another, tmp_path)
    checkpoint = healthy[1].parent.parent / "tiny.pt"
    with pytest.raises(InputError, match=r"SHA-256|hash|bytes"):
        judge(folder, checkpoint=checkpoint, samples=pictures)
    sealed(folder, fault.format)
    reasons = caught_by(folder, checkpoint, pictures)
    assert reasons
    if "FAULTS_TABLE" in os.environ:
        with Path(os.environ["FAULTS_TABLE"]).open("a", encoding="utf-8") as table:
            table.write(json.dumps([fault.what, fault.format, reasons]) + "\n")


def test_the_page_lists_every_fault():
    rows = re.findall(r"^\| (.+?) \| (.+?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert {tuple(row) for row in rows} >= {(fault.what, fault.format) for fault in FAULTS}
    assert len(rows) == len(FAULTS) + 2  # the header and its rule
