"""`segport` answers at once, refuses before it imports, and spells options as they were given."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from small_networks import ROOT, calibrated_unet

from models.common.spelling import NAMES, flag
from segport import __version__
from segport.__main__ import COMMANDS, group


def segport(
    *words: object, cwd: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command, with the modules that it imported as the last line of its output."""
    script = (
        "import atexit, sys; from segport.__main__ import main\n"
        "atexit.register(lambda: print('imported:', *sys.modules))\n"
        "main()"
    )
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, words)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def imported(done: subprocess.CompletedProcess[str]) -> set[str]:
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize(
    "words", [("--help",), ("--version",), *((name, "--help") for name in COMMANDS)], ids=" ".join
)
def test_help_imports_click_alone(words: tuple[str, ...]) -> None:
    done = segport(*words)
    assert done.returncode == 0
    light = {"click", "models", "export", "validate", "segport"} | sys.stdlib_module_names
    tops = {name.partition(".")[0] for name in imported(done)}
    assert {name for name in tops if name not in light and not name.startswith("_")} <= {
        "sitecustomize"
    }
    assert ("Usage: segport" in done.stdout) == ("--help" in words)


def test_the_version_is_told() -> None:
    assert segport("--version").stdout.startswith(f"segport, version {__version__}\n")


def test_every_command_has_a_short_help_that_fits_a_line() -> None:
    shown = segport("--help").stdout
    assert "..." not in shown.partition("Commands:")[2]
    assert all(f"  {name} " in shown for name in COMMANDS)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where a checkpoint is, which need not be one, and folders that are of no use."""
    (tmp_path / "breakage.pt").write_bytes(b"not read in these tests")
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("--samples", "nowhere"),
            "nowhere does not exist: give a folder of photos with --samples.",
        ),
        (("--samples", "empty"), "empty holds no files"),
        (("--out", "breakage.pt"), "breakage.pt cannot be written (Not a directory)"),
        (("--out", "/proc/segport"), "/proc/segport cannot be written"),
        (("--out", ".", "--name", "other"), "other exists and is not a bundle of Segport's"),
        (("--name", "../x"), "--name ../x cannot be the name of a bundle"),
        (("--formats", "tflite"), "--formats tflite names tflite: choose from torchscript,"),
        (("--size", "big"), "--size big is not a size: write WIDTHxHEIGHT"),
        (("--target", "iOS9"), "--target iOS9 is not a deployment target"),
        (("--mean", "a"), "--mean a is not a value per channel"),
        (("--model", "net.py"), "--model net.py names no class or function"),
        (("--model-args", "{}"), "--model-args {} are for a module of your own"),
        (("--padding", "odd"), "Invalid value for '--padding'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_an_export_is_refused_before_anything_slow(
    place: Path, words: tuple[str, ...], told: str
) -> None:
    before = sorted(place.rglob("*"))
    done = segport("export", "breakage.pt", *words, cwd=place)
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr
    assert not imported(done) & {"torch", "coremltools", "onnx", "rich"}
    assert sorted(place.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("export", "breakag.pt"), "breakag.pt does not exist. Did you mean breakage.pt?"),
        (("inspect", "breakag.pt"), "breakag.pt does not exist. Did you mean breakage.pt?"),
        (("validate", "nowhere"), "nowhere is not a bundle"),
        (("predict", "nowhere", "x.png"), "nowhere is not a bundle"),
        (("predict", "nowhere", "x.png", "--formats", "tflite"), "--formats tflite names tflite"),
        (("ios-demo", "nowhere"), "nowhere is not a bundle"),
        (("ios-demo", "nowhere", "--app", "empty"), "empty is not the iOS app"),
        (("demo", "--out", "breakage.pt"), "cannot be written"),
        (("exprot",), "No such command 'exprot'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_other_commands_are_refused_before_anything_slow(
    place: Path, words: tuple[str, ...], told: str
) -> None:
    done = segport(*words, cwd=place)
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr
    assert not imported(done) & {"torch", "coremltools", "onnx", "rich"}


def test_every_option_that_messages_name_is_one() -> None:
    context = group.make_context("segport", ["--help"], resilient_parsing=True)
    commands = [group.get_command(context, name) for name in COMMANDS]
    there = {option for command in commands for each in command.params for option in each.opts}
    assert {flag(name) for name in NAMES} <= there


@pytest.mark.skipif(sys.platform != "linux", reason="torch brings GNU's OpenMP on Linux alone")
@pytest.mark.parametrize(
    ("environment", "spins"),
    [({}, "10000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "PASSIVE"}, "0")],
    ids=["no setting", "spins of the user's own", "policy of the user's own"],
)
def test_threads_wait_in_a_bounded_loop(
    environment: dict[str, str], spins: str, tmp_path: Path
) -> None:
    (tmp_path / "net.pt").write_bytes(b"")
    told = segport("inspect", tmp_path / "net.pt", OMP_DISPLAY_ENV="VERBOSE", **environment).stderr
    assert re.search(rf"GOMP_SPINCOUNT = '{spins}'", told)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    """Where a small network and its bundle are, and the modules that the export imported."""
    folder = tmp_path_factory.mktemp("exported")
    torch.save(calibrated_unet().state_dict(), folder / "net.pt")
    (folder / "photos").mkdir()
    shutil.copy(ROOT / "samples" / "05_wing_dent.jpg", folder / "photos")
    done = segport("export", "net.pt", "--size", "64", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder, imported(done)


def test_an_export_imports_nothing_that_it_does_not_use(exported: tuple[Path, set[str]]) -> None:
    unused = {"sklearn", "scipy.stats", "pandas", "matplotlib", "IPython", "ray", "tensorflow"}
    if sys.platform == "linux":  # elsewhere the ONNX file is written by the same process
        unused |= {"torch._dynamo", "onnxscript"}
    assert not exported[1] & unused


@pytest.mark.parametrize(
    ("words", "unused"),
    [
        (("inspect", "net.pt"), {"coremltools", "onnx", "onnxruntime", "torch._dynamo", "jinja2"}),
        (("validate", "build/net"), {"coremltools", "torch._dynamo", "sklearn", "onnxscript"}),
        (("predict", "build/net", "photos"), {"coremltools", "torch._dynamo", "timm"}),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_other_commands_import_nothing_that_they_do_not_use(
    exported: tuple[Path, set[str]], words: tuple[str, ...], unused: set[str]
) -> None:
    done = segport(*words, cwd=exported[0])
    assert done.returncode == 0, done.stderr
    assert not imported(done) & unused


@pytest.mark.parametrize("code", [0, 1, 2])
def test_everything_printed_arrives_before_the_process_ends(code: int) -> None:
    script = (
        "import atexit, click, sys\n"
        "import segport.__main__ as command\n"
        "def long(*_):\n"
        "    print('x' * 1_000_000)\n"
        "    print('y' * 1_000_000, file=sys.stderr)\n"
        f"    sys.exit({code})\n"
        "command.run = long\n"
        "atexit.register(print, 'last')\n"
        "command.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, len(done.stderr)) == (code, 1_000_001)
    assert done.stdout == "x" * 1_000_000 + "\nlast\n"
