"""Export to places that hold something: links, leftovers of killed exports, removed folders."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from small_networks import ROOT, open_gate

from export.bundle import MANIFEST, read_bundle
from export.pipeline import export
from export.settings import Settings
from export.staging import staged
from models.common.cli import Stages, silent_console
from models.errors import InputError

KILLED = """
import os, signal, sys, tempfile
from pathlib import Path
from export.staging import staged

with staged(Path(sys.argv[1]), "x.pt") as folder:
    (folder / "half.onnx").write_bytes(bytes(100))
    tempfile.mkdtemp()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def exported(checkpoint: Path, out: Path, judge=open_gate) -> Path:
    settings = Settings(size=(64, 64), formats=("torchscript",))
    return export(checkpoint, out, settings, Stages(silent_console()), judge)[1]


def test_a_link_in_the_place_of_a_bundle_is_refused(saved, state_dict, tmp_path: Path) -> None:
    checkpoint = saved(state_dict)
    folder = exported(checkpoint, tmp_path / "elsewhere")
    place = tmp_path / "build" / folder.name
    place.parent.mkdir()
    place.symlink_to(folder)
    for _ in range(2):
        with pytest.raises(InputError, match=r"is a link to .*elsewhere.*remove it"):
            exported(checkpoint, place.parent)
    assert place.is_symlink()
    assert read_bundle(folder).name == folder.name


def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="is a link to"), staged(tmp_path / "net", "x.pt"):
        pass


def test_what_a_killed_export_left_goes_with_the_next(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", KILLED, str(tmp_path / "net")]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".net.") and left.name.endswith(".partial")
    with pytest.raises(RuntimeError), staged(tmp_path / "net", "x.pt"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_another_export_that_still_runs_keeps_its_folder(tmp_path: Path) -> None:
    place = tmp_path / "net"
    with pytest.raises(RuntimeError), staged(place, "x.pt") as first:
        with pytest.raises(KeyError), staged(place, "x.pt"):
            raise KeyError
        assert first.is_dir()
        raise RuntimeError
    names = (".net.a.b.partial", ".net2.x.partial", ".net.x.txt")
    for name in names:
        (tmp_path / name).mkdir()
    with pytest.raises(KeyError), staged(place, "x.pt"):
        raise KeyError
    assert {path.name for path in tmp_path.iterdir()} == set(names)


def test_temporary_files_of_converters_go_with_the_bundle(tmp_path: Path) -> None:
    before = tempfile.gettempdir()
    with pytest.raises(RuntimeError), staged(tmp_path / "net", "x.pt"):
        assert Path(tempfile.mkdtemp()).is_relative_to(tmp_path)
        raise RuntimeError
    assert tempfile.gettempdir() == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", ["link", "empty"])
def test_what_the_user_put_into_a_bundle_is_not_lost(
    saved, state_dict, tmp_path: Path, what: str
) -> None:
    checkpoint = saved(state_dict)
    folder = exported(checkpoint, tmp_path / "build")
    if what == "link":
        (folder / what).symlink_to(tmp_path, target_is_directory=True)
    else:
        (folder / what).mkdir()
    with pytest.raises(InputError, match=f"also holds {what}, which Segport did not write"):
        exported(checkpoint, tmp_path / "build")
    assert (folder / what).is_dir()
    assert (folder / MANIFEST).is_file()


def test_a_folder_that_is_removed_meanwhile_is_no_failed_parity(
    saved, state_dict, tmp_path: Path
) -> None:
    out = tmp_path / "build"

    def removes(bundle, job):
        shutil.rmtree(out)

    with pytest.raises(InputError, match="was removed while the bundle was built in it"):
        exported(saved(state_dict), out, removes)
    assert not out.exists()
