"""Every fault of an mlprogram is caught in a compressed file too, and told from an honest loss."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conv_edits import BLOB, EDITS, main_block, place_in_blob
from coremltools.models.utils import load_spec
from fault_catalogue import Broken, faults
from sealed_bundles import edited, sealed
from small_networks import calibrated_unet

from export.bundle import read_bundle
from export.compression.forms import FORMS
from export.compression.write import write_compressed
from export.metadata import compressed
from validate.parity.run import judge
from validate.results.parity import Report

FAULTS = [each for each in faults() if each.format == "mlprogram" and not each.independent]
TARGET = "iOS16"
OWN = "beside PyTorch with its own weights, "


@pytest.fixture(scope="module")
def bundle(tmp_path_factory, export_network):
    """A network, and the folder of its bundle, whose masks promise nothing."""
    network = calibrated_unet(encoder_depth=3, decoder_channels=(24, 16, 8))
    settings = {"compress": "palette4", "target": TARGET, "min_iou": 0.0}
    place = tmp_path_factory.mktemp("compressed")
    return network, export_network(place, network, ("mlprogram",), **settings)


@pytest.fixture
def judged(bundle, pictures, tmp_path) -> Callable[[Callable[[Path], None]], Report]:
    """Return the report on a copy of the bundle, whose compressed file is changed before."""

    def run(change: Callable[[Path], None]) -> Report:
        folder = Path(shutil.copytree(bundle[1], tmp_path / "tiny"))
        change(folder / "tiny.small.mlpackage")
        sealed(folder, "mlprogram")
        checkpoint = bundle[1].parent.parent / "tiny.pt"
        return judge(folder, checkpoint=checkpoint, samples=pictures, coreml="reference")

    return run


def test_the_healthy_file_passes(judged):
    report = judged(lambda path: None)
    assert [each.status for each in report.results] == ["passed", "passed"]
    assert report.results[1].quality.proven
    assert "the compressed one with its own weights" in report.sentence


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_the_gate_catches(fault, bundle, another, judged, tmp_path):
    def change(path: Path) -> None:
        plain = Path(shutil.copytree(bundle[1] / "tiny.mlpackage", tmp_path / "tiny.mlpackage"))
        described = read_bundle(bundle[1])
        fault.apply(Broken(plain, described, bundle[0], another))
        shutil.rmtree(path)
        facts = compressed(described.artifacts[1].compression)
        write_compressed(plain, path, FORMS["palette4"], TARGET, facts)

    plain, small = judged(change).results
    assert plain.status == "passed"
    assert small.status == "failed"
    assert small.reasons


def test_what_it_computes_otherwise_is_told_apart(judged):
    report = judged(lambda path: EDITS["mlprogram"](path, 8, "bias", np.zeros_like))
    small = report.results[1]
    assert small.status == "failed" and not small.quality.proven
    assert all(each.startswith(OWN) for each in small.reasons)
    assert report.sentence.startswith("Parity failed: tiny.small.mlpackage does not compute")


def test_a_table_of_other_numbers_is_told_as_such(judged):
    def change(path: Path) -> None:
        operations = main_block(load_spec(str(path))).operations
        table = next(each for each in operations if each.type == "constexpr_lut_to_dense")
        blob = bytearray((path / BLOB).read_bytes())
        start, size = place_in_blob(blob, table.attributes["lut"].blobFileValue.offset)
        values = np.frombuffer(blob[start : start + size], np.float16) * np.float16(1.1)
        blob[start : start + size] = values.tobytes()
        (path / BLOB).write_bytes(blob)

    small = judged(change).results[1]
    assert small.status == "failed"
    assert "has weights that are not this network's as palette4" in small.reasons[-1]
    assert not any(each.startswith(OWN) for each in small.reasons)


def test_masks_worse_than_promised_are_told_as_an_honest_loss(bundle, pictures, tmp_path):
    folder = Path(shutil.copytree(bundle[1], tmp_path / "tiny"))
    edited(folder, "artifacts", 1, "compression", "min_iou", value=1.0)
    checkpoint = bundle[1].parent.parent / "tiny.pt"
    report = judge(folder, checkpoint=checkpoint, samples=pictures, coreml="reference")
    small = report.results[1]
    assert small.status == "failed" and small.quality.proven
    assert all("and MIN_IOU=1 is required" in each for each in small.reasons)
    assert report.sentence.startswith("Masks are not as promised: tiny.small.mlpackage computes")


def test_outputs_that_were_stored_judge_no_compressed_file(bundle, pictures, tmp_path):
    checkpoint, stored = bundle[1].parent.parent / "tiny.pt", tmp_path / "reference.npz"
    judge(
        bundle[1],
        checkpoint=checkpoint,
        samples=pictures,
        coreml="reference",
        write_reference=stored,
    )
    report = judge(bundle[1], samples=pictures, coreml="reference", reference=stored)
    assert [each.status for each in report.results] == ["passed", "not run"]
    assert report.verdict == "not all judged"


CONTRADICTIONS = {
    "alone": (("artifacts", 0, "compression"), {"form": "int8", "min_iou": 0.5}),
    "older": (("artifacts", 1, "target"), "iOS15"),
    "arithmetic": (("artifacts", 1, "precision"), "float32"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_description_that_contradicts_itself_is_refused(bundle, tmp_path, name):
    from models.errors import InputError

    folder = Path(shutil.copytree(bundle[1], tmp_path / "tiny"))
    keys, value = CONTRADICTIONS[name]
    edited(folder, *keys, value=value)
    with pytest.raises(InputError, match="contradicts itself"):
        read_bundle(folder)
