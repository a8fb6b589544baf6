"""Each fault, put into a healthy bundle, makes the gate fail; the healthy bundle passes."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from fault_catalogue import Broken, Fault, faults
from graph_edits import edit_coreml, scale_program
from sealed_bundles import sealed
from small_networks import ROOT, SHARED

from export.bundle import read_bundle
from models.errors import InputError
from models.load import load_network, recognise_checkpoint
from validate.parity.run import judge

FAULTS = tuple(faults())
PAGE = ROOT / "docs" / "faults.md"


def breaking(fault: Fault, healthy, another, place: Path) -> Path:
    """A copy of the `healthy` bundle with the fault in it."""
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


@pytest.mark.parametrize("kind", ["healthy", "independent"])
def test_the_healthy_bundle_passes(kind, pictures, request):
    folder = request.getfixturevalue(kind)[1]
    report = judge(
        folder,
        checkpoint=folder.parent.parent / "tiny.pt",
        samples=pictures,
        coreml="reference",
    )
    assert report.passed, report.sentence
    assert len(report.results) == 4


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.what}, {fault.format}")
def test_the_gate_catches(fault, another, pictures, tmp_path, request):
    healthy = request.getfixturevalue("independent" if fault.independent else "healthy")
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


@pytest.mark.slow
def test_a_scale_of_1_256_shows_in_the_float16_file_of_a_trained_network(
    export_network, car_photos, tmp_path
):
    """Its own noise is so small that the limit is far above what such a file reaches."""
    found = sorted((SHARED / "checkpoints").glob("*.safetensors"))
    if not found:
        pytest.skip("no checkpoint is here")
    network = load_network(recognise_checkpoint(found[0]))
    folder = export_network(tmp_path, network, formats=("mlprogram",), size=(224, 224))
    samples, checkpoint = sorted(car_photos.glob("*.jpg"))[:4], tmp_path / "tiny.pt"
    healthy = judge(folder, checkpoint=checkpoint, samples=samples, coreml="reference")
    assert healthy.passed, healthy.sentence
    edit_coreml(next(folder.glob("*.mlpackage")), scale_program(255 / 256))
    sealed(folder, "mlprogram")
    report = judge(folder, checkpoint=checkpoint, samples=samples, coreml="reference")
    assert "PSNR" in report.results[0].reasons[0]


def test_the_page_lists_every_fault():
    rows = re.findall(r"^\| (.+?) \| (.+?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert {tuple(row) for row in rows} >= {(fault.what, fault.format) for fault in FAULTS}
    assert len(rows) == len(FAULTS) + 2  # the header and its rule
