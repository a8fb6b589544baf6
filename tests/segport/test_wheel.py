"""What is installed is one package, which works beside modules that are called like its parts."""

import ast
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
import torch
from small_networks import ROOT, calibrated_unet

pytest.importorskip("setuptools", minversion="77", reason="building needs a newer setuptools")

BUILT_FROM = "segport models export validate samples setup.py pyproject.toml MANIFEST.in README.md"
# A network of the user's own, in a package that is called like one of Segport's.
NETWORK = """import segmentation_models_pytorch as smp
from torch import nn
from torchvision.ops import nms
from models.blocks import block


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = block(3, 2)

    def forward(self, image):
        return self.one(image)
"""
BLOCKS = "from torch import nn\n\n\ndef block(i, o):\n    return nn.Conv2d(i, o, 3, padding=1)\n"
CLASH = "raise SystemExit('the file of the user ran')\n"


def run(*words: object, cwd: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "MAKEFLAGS")}
    done = subprocess.run(
        list(map(str, words)),
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wheel")
    clone = place / "clone"
    clone.mkdir()
    for name in [*BUILT_FROM.split(), "LICENSE"]:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, clone)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet")
    run(*pip, "--no-deps", "--no-build-isolation", "--wheel-dir", place, clone, cwd=place)
    return next(place.glob("*.whl"))


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed command, in an environment that has our dependencies and no clone."""
    venv = tmp_path_factory.mktemp("installed") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv, cwd=venv.parent)
    python = venv / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=venv.parent)
    site = next(venv.glob("lib/python*/site-packages"))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return venv / "bin" / "segport"


@pytest.fixture
def training(tmp_path: Path) -> Path:
    """A training repository with files that are called like Segport's parts."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").write_text("")
    (tmp_path / "models" / "blocks.py").write_text(BLOCKS)
    (tmp_path / "models" / "net.py").write_text(NETWORK)
    for name in ("export.py", "validate.py"):
        (tmp_path / name).write_text(CLASH)
    return tmp_path


@pytest.mark.slow
def test_the_wheel_holds_one_name_and_all_that_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"segport"}
        for name in names:
            if name.endswith(".py"):
                assert not imported(archive.read(name)) & {"models", "export", "validate", "tests"}
    data = {
        path.relative_to(ROOT).as_posix()
        for part in ("models", "export", "validate")
        for path in (ROOT / part).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    assert {f"segport/_{path}" for path in data} <= names
    pictures = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("samples/*.jpg")}
    masks = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("samples/masks/*.png")}
    assert {f"segport/{path}" for path in pictures | masks} <= names
    assert "segport/py.typed" in names
    assert not any("render" in name for name in names)


def imported(source: bytes) -> set[str]:
    """The top-level names that a module imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.slow
def test_it_exports_beside_modules_of_the_same_names(command: Path, training: Path) -> None:
    torch.save(calibrated_unet().state_dict(), training / "breakage.pt")
    options = ("--formats", "torchscript,mlprogram", "--size", "64")
    assert "parity held" in run(command, "export", "breakage.pt", *options, cwd=training)
    assert "Parity holds" in run(command, "validate", "build/breakage", cwd=training)
    sites = command.parent.parent.glob("lib/python*/site-packages/*")
    assert {path.name for path in sites if ".dist-info" not in path.name} == {
        "dependencies.pth",
        "segport",
    }


@pytest.mark.slow
def test_it_runs_the_users_code_with_the_users_modules(command: Path, training: Path) -> None:
    network = torch.nn.ModuleDict({"one": torch.nn.Conv2d(3, 2, 3)})
    torch.save(network.state_dict(), training / "mine.pt")
    for model in ("models/net.py:Net", "models.net:Net"):
        words = ("mine.pt", "--model", model, "--formats", "torchscript", "--size", "32")
        assert "parity held" in run(command, "export", *words, cwd=training)


@pytest.mark.slow
def test_what_the_wheel_has_not_is_said(command: Path, training: Path) -> None:
    done = subprocess.run(
        [command, "ios-demo", "build/x"], cwd=training, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "The iOS app is not part of an installed Segport: clone" in done.stderr
