"""The shim stands in for torchvision's compiled operators only where those do not load."""

import subprocess
import sys
from pathlib import Path

import pytest
from small_networks import ROOT

# A compiled library that fits registers its operators when it is loaded; one that does not raises.
SCRIPT = """
import sys, torch
sys.path.insert(0, {root!r})
keep = []

def load(path):
    if not {fits}:
        raise OSError(path)
    keep.append(torch.library.Library("torchvision", "DEF"))
    keep[-1].define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

torch.ops.load_library = load
import models.torchvision_shim as shim
print(len(keep), len(shim._declarations), hasattr(torch.ops.torchvision, "nms"))
"""


@pytest.mark.parametrize("library", ["_C.so", "_C_stable.so", "_C.pyd"])
@pytest.mark.parametrize(
    ("fits", "expected"), [(True, "1 0 True"), (False, "0 1 True")], ids=["fits", "does not fit"]
)
def test_operators_are_declared_once(
    library: str, fits: bool, expected: str, tmp_path: Path
) -> None:
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision/__init__.py").touch()
    (tmp_path / "torchvision" / library).touch()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(root=str(ROOT), fits=fits)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == expected, done.stderr
