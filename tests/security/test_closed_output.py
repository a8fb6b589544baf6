"""An output that nobody reads, is closed or full: never exit code 1, and no half work."""

import subprocess
import sys

import pytest
from small_networks import ROOT

SEGPORT = f"{sys.executable} -m segport"
EXPORT = f"{SEGPORT} export net.pt --out build --formats torchscript --size 64"


def shell(command: str, folder) -> subprocess.CompletedProcess[str]:
    script = f"export PYTHONPATH={ROOT}; cd {folder}; {command}"
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {script}"], capture_output=True, text=True, check=False
    )


def test_a_reader_that_goes_away_is_141(tmp_path) -> None:
    done = shell(f"{SEGPORT} --help | true", tmp_path)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(
    ("how", "codes"),
    [
        ("| head -1", {141, 0}),
        (">&- 2>&- <&-", {0}),
        ("> /dev/full", {2}),
    ],
)
def test_an_export_is_finished_or_undone(saved, state_dict, tmp_path, how: str, codes) -> None:
    saved(state_dict, "net.pt")
    done = shell(f"{EXPORT} {how}", tmp_path)
    assert done.returncode in codes, done.stderr
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr
    build = tmp_path / "build"
    names = [path.name for path in build.iterdir()] if build.exists() else []
    assert names in ([], ["net"])
    assert all((build / name / "bundle.json").is_file() for name in names)


def test_a_full_output_is_named(tmp_path) -> None:
    done = shell(f"{SEGPORT} --help > /dev/full", tmp_path)
    assert done.returncode == 2
    assert "Standard output takes no more (No space left on device)" in done.stderr
