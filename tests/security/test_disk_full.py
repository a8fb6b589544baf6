"""A disk that fills while a bundle is written ends in a sentence, with nothing left behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_networks import ROOT

# Writes of more than so many bytes fail with EFBIG, as those on a full disk do with ENOSPC.
FULL_AFTER = """
import resource, sys
from export import formats, staging
from segport.__main__ import main

def limited(write):
    def call(*arguments, **options):
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        staging.NEARLY_FULL = 1 << 62
        return write(*arguments, **options)
    return call

name = sys.argv.pop(1)
setattr(formats, name, limited(getattr(formats, name)))
main()
"""


@pytest.mark.parametrize(
    ("format_", "writer"),
    [
        ("torchscript", "write_torchscript"),
        ("mlprogram", "write_mlprogram"),
        ("neuralnetwork", "write_neuralnetwork"),
    ],
)
def test_a_disk_that_fills_is_named_and_nothing_is_left(
    saved, state_dict, tmp_path: Path, format_: str, writer: str
) -> None:
    words = ("export", str(saved(state_dict)), "--out", str(tmp_path / "out"), "--size", "64")
    done = subprocess.run(
        [sys.executable, "-c", FULL_AFTER, writer, *words, "--formats", format_],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "is full: nothing was written. Make room" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["breakage.pt"]
