"""All or nothing: whatever goes wrong, what was there before is still there, and nothing else."""

import errno
import json
import shutil
from pathlib import Path

import pytest

from export import staging
from export.bundle import MANIFEST, Artifact, Bundle, Source, describe_files, write_bundle
from export.staging import require_space, staged
from models.errors import InputError
from models.specification import InputContract, Specification

CHECKPOINT = "breakage.pt"


def fill(folder: Path, content: str, checkpoint: str = CHECKPOINT) -> None:
    """Put a small, valid bundle into `folder`."""
    (folder / "breakage.onnx").write_text(content)
    files = describe_files(folder, "breakage.onnx")
    bundle = Bundle(
        name="breakage",
        created="2026-01-01T00:00:00+00:00",
        source=Source(checkpoint, "../x.pt", "0" * 64, 1, "torch zip", ""),
        specification=Specification("smp", "Unet", 3, 2, 32, {}),
        activation="softmax",
        contract=InputContract(64, 64),
        labels=("background", "breakage"),
        colours=("0x00000000", "0xD55E0099"),
        labels_source="LABELS",
        keys={"loaded": [], "renamed": {}, "ignored": {}},
        findings=(),
        artifacts=(Artifact("onnx", "breakage.onnx", "float32", "opset 20", files, 0.1),),
        notes=(),
        timings={},
        versions={},
    )
    write_bundle(bundle, folder)


def put(destination: Path, content: str, checkpoint: str = CHECKPOINT) -> None:
    with staged(destination, checkpoint) as folder:
        fill(folder, content, checkpoint)


def everything_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_a_bundle_is_moved_in_whole_and_replaced_whole(tmp_path: Path) -> None:
    destination = tmp_path / "build" / "breakage"
    put(destination, "one")
    (destination / "parity.json").write_text("{}")
    put(destination, "two")
    assert (destination / "breakage.onnx").read_text() == "two"
    assert everything_in(tmp_path / "build") == {
        "breakage",
        "breakage/breakage.onnx",
        f"breakage/{MANIFEST}",
    }


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, InputError])
def test_a_failure_leaves_what_was_there_before(tmp_path: Path, error: type) -> None:
    destination = tmp_path / "breakage"
    put(destination, "before")
    before = everything_in(tmp_path)
    with pytest.raises(error), staged(destination, CHECKPOINT) as folder:
        fill(folder, "after")
        raise error
    assert everything_in(tmp_path) == before
    assert (destination / "breakage.onnx").read_text() == "before"


def test_a_failure_takes_back_the_folders_made_for_it(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), staged(tmp_path / "a" / "b" / "breakage", CHECKPOINT):
        raise RuntimeError
    assert everything_in(tmp_path) == set()


def test_what_is_not_a_bundle_is_refused(tmp_path: Path) -> None:
    destination = tmp_path / "breakage"
    destination.mkdir()
    (destination / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is not a bundle"):
        put(destination, "x")
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(InputError, match="is not a bundle"):
        put(file, "x")
    assert (destination / "notes.txt").read_text() == file.read_text() == "mine"


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "breakage").mkdir()
    put(tmp_path / "breakage", "x")
    assert (tmp_path / "breakage" / MANIFEST).is_file()


def test_files_of_the_user_in_a_bundle_are_not_lost(tmp_path: Path) -> None:
    destination = tmp_path / "breakage"
    put(destination, "one")
    (destination / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"also holds notes\.txt"):
        put(destination, "two")
    assert (destination / "breakage.onnx").read_text() == "one"


def test_the_bundle_of_another_checkpoint_is_not_replaced(tmp_path: Path) -> None:
    """`a b.pt` and `a-b.pt` share a bundle name."""
    put(tmp_path / "a-b", "one", "a b.pt")
    with pytest.raises(InputError, match=r"bundle of another checkpoint, a b\.pt"):
        put(tmp_path / "a-b", "two", "a-b.pt")


def test_somebody_elses_bundle_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "breakage").mkdir()
    (tmp_path / "breakage" / MANIFEST).write_text(json.dumps({"name": "webpack"}))
    with pytest.raises(InputError, match="does not hold a bundle description"):
        put(tmp_path / "breakage", "x")


def test_a_place_below_a_file_is_unwritable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        put(tmp_path / "file" / "breakage", "x")


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    full = pytest.raises(InputError, match="is full: nothing was written")
    with full, staged(tmp_path / "breakage", CHECKPOINT):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert everything_in(tmp_path) == set()


def test_a_full_disk_is_named_where_a_folder_was_copied(tmp_path: Path) -> None:
    """shutil gathers what went wrong as text, without an errno of its own."""
    reason = str(OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(InputError, match="is full"), staged(tmp_path / "breakage", CHECKPOINT):
        raise shutil.Error([("from/weight.bin", "to/weight.bin", reason)])
    with pytest.raises(shutil.Error), staged(tmp_path / "breakage", CHECKPOINT):
        raise shutil.Error([("a", "b", str(OSError(errno.ENOENT, "No such file")))])


def test_a_writer_that_failed_for_lack_of_space_is_named_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """torch's archive writer raises RuntimeError when the disk is full."""
    monkeypatch.setattr(staging, "NEARLY_FULL", 1 << 62)
    with pytest.raises(InputError, match="is full"), staged(tmp_path / "breakage", CHECKPOINT):
        raise RuntimeError("PytorchStreamWriter failed writing file data/3: file write failed")


def test_too_little_room_is_known_beforehand(tmp_path: Path) -> None:
    require_space(tmp_path / "not" / "there", 1000)
    with pytest.raises(InputError, match="not enough room"):
        require_space(tmp_path / "not" / "there", 1 << 60)


def test_a_run_killed_between_the_renames_is_mended(tmp_path: Path) -> None:
    destination = tmp_path / "breakage"
    put(destination, "before")
    destination.rename(tmp_path / ".breakage.previous")
    with pytest.raises(RuntimeError), staged(destination, CHECKPOINT):
        raise RuntimeError
    assert (destination / "breakage.onnx").read_text() == "before"
    assert not (tmp_path / ".breakage.previous").exists()
