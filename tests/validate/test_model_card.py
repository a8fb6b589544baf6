"""The README.md of a bundle: true, whole, kept apart from other people's, and without paths."""

import json
import re
import shutil
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from made_reports import made_report
from model_cards import CONTRACTS, swift_of

from export.bundle import read_bundle, verify_files, write_bundle
from export.result_files import CARD, CARD_MARKER
from export.staging import require_replaceable
from export.unlisted import unlisted_files
from models.errors import InputError
from segport.api import validate
from validate.metadata.content import read_content
from validate.parity.execution import Execution
from validate.report.model_card import to_card
from validate.report.write import write_results
from validate.runtimes import Opener

HOSTILE = "a|b\n# c `d` <img src=x> [e](http://f) $g$ \x1b[31m"


@pytest.fixture
def bundle(tiny, tmp_path):
    """A copy of the tiny bundle, in a folder of the test's own, with its checkpoint."""
    folder = tmp_path / "build" / "tiny"
    shutil.copytree(tiny[1], folder)
    shutil.copy(tiny[1].parent.parent / "tiny.pt", tmp_path)
    return folder


def card_of(bundle):
    return to_card(made_report(), read_bundle(bundle))


def row_of(card, start):
    return next(line for line in card.splitlines() if line.startswith(f"| {start}"))


def test_it_says_of_every_file_what_the_file_says_itself(bundle):
    card = card_of(bundle)
    for artifact in read_bundle(bundle).artifacts:
        stated = read_content(bundle / artifact.path, artifact.format).statements
        row = row_of(card, artifact.path)
        if artifact.format != "torchscript":  # which declares no shapes
            for name in ("input image", "output logits", "output mask"):
                assert f"`{stated[name]}`" in row
        assert "float32 [" in row and "int32 [" in row


def test_it_says_what_is_found_taken_and_judged(bundle):
    described = replace(
        read_bundle(bundle), labels=("background", "scratch"), licence="MIT", author="A. Person"
    )
    card = to_card(made_report(), described)
    assert "| value 1 | scratch | \\#D55E00, 60% opaque |" in card
    assert "(RGB), turned upright and stretched to 64 × 64 pixels" in card
    assert "the division by 255 is inside, so scale nothing" in card
    assert "**Not proven: made.mlmodel could not be judged" in card
    assert "on 2026-01-01; the figures" in card
    assert "- Licence: MIT\n- Author: A. Person\n- Checkpoint: tiny.pt, SHA-256 `" in card
    assert "`segport validate tiny`" in card
    assert described.source.path not in card.replace(described.source.file, "")


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_kind_of_input_and_mask_is_told(contract, bundle):
    card = to_card(made_report(), CONTRACTS[contract](read_bundle(bundle)))
    several = "`mask[[channel, y, x] as [NSNumber]]`" in card
    assert several == (contract == "independent channels")
    assert ("GRAYSCALE image 96 × 64" in card) == (contract == "grey")
    assert ("Mean and standard deviation are inside" in card) == (contract == "grey")
    assert ("Both lack 8 pixels" in card) == (contract == "unpadded")
    array = contract == "an array"
    assert ("`float32 [1, 5, 64, 96]`" in card) == array
    assert ("divide by 255" in card) != array
    assert ("VNCoreMLRequest" in card) != array
    assert len(swift_of(card)) == (1 if array else 2)


def test_a_bundle_without_core_ml_shows_no_swift(bundle):
    described = read_bundle(bundle)
    onnx = tuple(each for each in described.artifacts if each.format == "onnx")
    assert "wift" not in to_card(made_report(), replace(described, artifacts=onnx))


def test_no_name_breaks_out_of_its_place(bundle):
    described = read_bundle(bundle)
    hostile = replace(
        described,
        labels=("background", HOSTILE),
        licence=HOSTILE,
        author=HOSTILE,
        source=replace(described.source, file=HOSTILE),
        specification=replace(described.specification, architecture=HOSTILE),
    )
    plain, card = card_of(bundle), to_card(made_report(), hostile)
    assert "\x1b" not in card and "<img" not in card and "[e]" not in card
    assert card.count("\n") == plain.count("\n")
    assert len(re.findall(r"(?m)^#", card)) == len(re.findall(r"(?m)^#", plain))
    assert row_of(card, "value 1").replace("\\|", "").count("|") == 4
    assert swift_of(card) == swift_of(plain)


def test_validate_writes_it_again_and_it_belongs_to_the_bundle(bundle, photos, tmp_path):
    validate(bundle, samples=photos)
    card = (bundle / CARD).read_text(encoding="utf-8")
    assert card.startswith(CARD_MARKER)
    assert "on 3 pictures" in card
    described = read_bundle(bundle)
    verify_files(described, bundle)
    assert unlisted_files(described, bundle) == ()
    require_replaceable(bundle, "tiny.pt")
    (bundle / CARD).write_text(CARD_MARKER, encoding="utf-8")
    validate(bundle, samples=photos, out=tmp_path / "results")
    assert (bundle / CARD).read_text(encoding="utf-8") == CARD_MARKER
    assert not (tmp_path / "results" / CARD).exists()


def test_a_readme_of_somebody_elses_is_left_alone(bundle):
    (bundle / CARD).write_text("# My notes", encoding="utf-8")
    described = read_bundle(bundle)
    write_results(made_report(), bundle, described)
    assert (bundle / CARD).read_text(encoding="utf-8") == "# My notes"
    assert unlisted_files(described, bundle) == (CARD,)
    with pytest.raises(InputError, match=r"also holds README\.md, which Segport did not write"):
        require_replaceable(bundle, "tiny.pt")


def test_an_earlier_bundle_without_a_card_is_read(bundle):
    assert not (bundle / CARD).exists()
    described = read_bundle(bundle)
    verify_files(described, bundle)
    write_bundle(described, bundle)
    assert CARD not in json.loads((bundle / "bundle.json").read_text())["artifacts"]


def contents(path):
    """Yield the bytes of a file, and those of each record where it is an archive."""
    yield path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from map(archive.read, archive.namelist())


def test_no_file_of_a_bundle_names_a_folder_of_the_machine_that_made_it(bundle, photos, tmp_path):
    """Neither the places of this run, nor those of Segport's and other packages' sources."""
    validate(bundle, samples=photos)
    folders = {tmp_path.name, tmp_path.parent.name, photos.parent.name, "site-packages"}
    folders |= {
        str(bundle.parent.parent),
        "/export/",
        "/segport/",
        "models/deployable.py(",
        "/usr/",
    }
    for path in filter(lambda each: each.is_file(), bundle.rglob("*")):
        for content in contents(path):
            for folder in folders:
                assert folder.encode() not in content, f"{path.name} names {folder}"


def test_no_reason_of_a_failure_names_the_folder_of_the_bundle(bundle):
    def load(path, _):
        raise ValueError(f"cannot load {path} ({path.resolve()})")

    path = bundle / "tiny.onnx"
    execution = Execution(Opener("made", load), path, read_bundle(bundle))
    failure = execution.run("a.png", np.zeros((64, 64, 3), np.uint8))
    assert failure.reason == "it does not load: cannot load tiny.onnx (tiny.onnx)"
