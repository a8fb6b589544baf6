"""A bundle's files are not used after a verdict that failed, or that is about other files."""

import json
from dataclasses import replace

import pytest
import torch
from made_reports import made_report
from PIL import Image
from sealed_bundles import sealed
from test_healthy_exports import sentences

from export.bundle import MANIFEST, read_bundle, write_bundle
from models.errors import InputError
from models.specification import InputContract
from validate.images.samples import find_samples
from validate.metadata.verdict import require_verdict
from validate.parity.run import judge
from validate.reference.network import load_reference
from validate.report.json_file import read_results
from validate.report.write import write_results


@pytest.fixture
def judged(copied, tiny, photos):
    """The folder of a bundle with one file, judged and passed."""
    sealed(copied, "torchscript")
    report = judge(copied, checkpoint=tiny[1].parent.parent / "tiny.pt", samples=photos)
    assert report.passed
    write_results(report, copied)
    return copied


def test_a_verdict_says_what_it_judged(judged, photos):
    about = read_results(judged).provenance
    bundle = read_bundle(judged)
    assert about.checkpoint == bundle.source.sha256
    assert about.reference is None
    assert about.files == bundle.artifacts[0].files
    assert [each.path for each in about.samples] == sorted(path.name for path in photos.iterdir())
    assert all(len(each.sha256) == 64 for each in about.samples)


def test_a_passed_verdict_on_these_files_needs_nothing_said(judged):
    assert require_verdict(judged, read_bundle(judged)) is None


def test_a_verdict_on_other_files_is_stale(judged):
    bundle = read_bundle(judged)
    write_bundle(replace(bundle, author="Somebody"), judged)
    with pytest.raises(InputError, match=r"is about other files than now\. .*--anyway"):
        require_verdict(judged, read_bundle(judged))
    told = require_verdict(judged, read_bundle(judged), anyway=True)
    assert told.endswith("is about other files than now.")


def test_a_verdict_that_failed_is_told(judged):
    write_results(made_report(broken=True), judged)
    with pytest.raises(InputError, match="is not that it passed: "):
        require_verdict(judged, read_bundle(judged))


def test_a_verdict_that_does_not_say_on_what_is_stale(judged):
    write_results(replace(read_results(judged), provenance=None), judged)
    with pytest.raises(InputError, match="is about other files than now"):
        require_verdict(judged, read_bundle(judged))


def test_a_bundle_that_nothing_has_judged_is_told_of(copied):
    assert "has no parity.json" in require_verdict(copied, read_bundle(copied))


def test_a_verdict_that_cannot_be_read_is_bad_input(judged):
    (judged / "parity.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read as parity results"):
        require_verdict(judged, read_bundle(judged))


def test_skipped_samples_are_not_among_what_was_judged(tmp_path):
    from validate.results.provenance import provenance_of

    folder = tmp_path / "photos"
    folder.mkdir()
    Image.new("RGB", (8, 8)).save(folder / "a.png")
    (folder / "notes.txt").write_text("no picture")
    samples = find_samples(folder, InputContract(8, 8))
    list(samples)
    (tmp_path / MANIFEST).write_text("{}")

    class Empty:
        artifacts = ()
        source = type("Source", (), {"sha256": "0" * 64})

    about = provenance_of(Empty(), tmp_path, samples, folder / "notes.txt")
    assert [each.path for each in about.samples] == ["a.png"]
    assert len(about.reference) == 64


def test_wrong_labels_in_bundle_json_fail_every_file(copied, tiny, photos):
    sealed(copied, "torchscript")
    bundle = read_bundle(copied)
    changed = replace(bundle, labels=bundle.labels[::-1], labels_source="LABELS")
    write_bundle(changed, copied)
    report = judge(copied, checkpoint=tiny[1].parent.parent / "tiny.pt", samples=photos)
    (result,) = report.results
    assert result.status == "failed"
    assert "for its segport.labels, and by bundle.json it is" in result.reasons[0]


def test_labels_of_the_checkpoint_are_held_against_it(tmp_path, make_network):
    labels = ["background", "dent"]
    state = {"state_dict": make_network().state_dict(), "labels": labels}
    torch.save(state, tmp_path / "net.pt")
    assert sentences(tmp_path / "net.pt", "torchscript") == []
    folder = tmp_path / "build" / "net"
    assert load_reference(read_bundle(folder), folder)
    document = json.loads((folder / MANIFEST).read_text())
    assert document["labels_source"] == "checkpoint"
    document["labels"].reverse()
    (folder / MANIFEST).write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"labels dent, background, and net\.pt names them backg"):
        load_reference(read_bundle(folder), folder)
