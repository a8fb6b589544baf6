"""A bundle of the user's own module: exported, judged again, and never running what it names."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import onnxruntime
import pytest
from click.testing import CliRunner
from custom_modules import named, net_file, trained
from small_networks import ROOT
from test_main_job import export

from export.bundle import read_bundle
from models.custom.option import NamedModule
from models.errors import InputError
from segport.__main__ import group
from validate.ios.install import install_into_app
from validate.parity.run import judge
from validate.report.json_file import read_results

ARGUMENTS = '{"classes": 1}'
FORMATS = ["torchscript", "mlprogram", "neuralnetwork", "onnx"]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    trained(folder, classes=1)
    net_file(folder, "return torch.sigmoid(self.head2(y))", "parts/unused.py")
    source = net_file(folder, "return {'out': torch.sigmoid(y), 'low': low}")
    options = ("--model", f"{source}:Net", "--model-args", ARGUMENTS)
    assert export(folder / "net.pt", *options, formats=",".join(FORMATS)) == 0
    return folder


@pytest.fixture
def project(exported: Path, tmp_path: Path) -> Iterator[Path]:
    shutil.copytree(exported, tmp_path / "own")
    yield tmp_path / "own"


def test_every_format_computes_the_logits(exported: Path) -> None:
    folder = exported / "build" / "net"
    bundle, results = read_bundle(folder), read_results(folder / "parity.json").results
    assert [artifact.format for artifact in bundle.artifacts] == FORMATS
    assert [result.status for result in results] == ["passed"] * 4
    assert bundle.activation == "sigmoid"
    assert any("the logits before it are exported" in note for note in bundle.notes)
    code = bundle.source.code
    assert code is not None
    assert (code.name, code.arguments, list(code.files)) == (
        "net.py:Net",
        {"classes": 1},
        ["net.py"],
    )
    assert str(exported.parent) not in (folder / "bundle.json").read_text()


def test_the_user_names_the_code_again(project: Path) -> None:
    bundle = project / "build" / "net"
    module = named(project / "net.py", ARGUMENTS)
    reference = project / "stored.npz"
    assert judge(bundle, module=module, write_reference=reference).passed
    assert judge(bundle, reference=reference).passed


def test_drift_and_ranges_call_modules_as_the_user_does(project: Path) -> None:
    bundle, samples = project / "build" / "net", ROOT / "samples"
    options = ("--model", f"{project / 'net.py'}:Net", "--model-args", ARGUMENTS)
    arguments = [str(bundle), *options, "--samples", str(samples), "--drift", "--ranges"]
    result = CliRunner().invoke(group, ["validate", *arguments])
    assert result.exception is None, result.output
    report = read_results(bundle)
    inner = {"network", "down", "below", "up"}  # the head's output is the file's
    assert [each.format for each in report.drift] == FORMATS[1:]
    for drift in report.drift:
        assert drift.failure is None
        assert inner <= {row.module for row in drift.rows} <= inner | {"head", ""}
    assert report.ranges is not None
    assert inner <= {each.module for each in report.ranges.operations} <= inner | {"head", None}


def test_a_bundle_runs_nothing_by_itself(project: Path) -> None:
    bundle = project / "build" / "net"
    document = json.loads((bundle / "bundle.json").read_text())
    source = project / "net.py"
    trap = f"open({str(project / 'ran')!r}, 'w')\n"
    source.write_text(trap + source.read_text())
    document["source"]["code"]["name"] = f"{source}:Net"
    (bundle / "bundle.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"name its code again, as MODEL=.*net.py:Net MODEL_ARGS="):
        judge(bundle)
    with pytest.raises(InputError, match="name its code again"):
        install_into_app(bundle)
    assert not (project / "ran").exists()


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        (lambda p: named(p / "net.py", ARGUMENTS), r"net.py changed since net was exported"),
        (lambda p: named(p / "net.py"), "that was MODEL=path/to/net.py:Net MODEL_ARGS="),
        (lambda p: named(p / "parts" / "unused.py", ARGUMENTS), "is not what net was exported"),
    ],
)
def test_other_code_is_refused_before_it_runs(
    module: Callable[[Path], NamedModule], sentence: str, project: Path
) -> None:
    source = project / "net.py"
    trap = f"open({str(project / 'ran')!r}, 'w')\n"
    source.write_text(source.read_text() + trap)
    with pytest.raises(InputError, match=sentence):
        judge(project / "build" / "net", module=module(project))
    assert not (project / "ran").exists()


def test_a_changed_sibling_is_told(tmp_path: Path) -> None:
    path = trained(tmp_path)
    net_file(tmp_path, name="parts.py")
    (tmp_path / "whole.py").write_text("from parts import Net\n")
    model = f"{tmp_path / 'whole.py'}:Net"
    assert export(path, "--model", model, formats="torchscript") == 0
    (tmp_path / "parts.py").write_text((tmp_path / "parts.py").read_text() + "\n# changed\n")
    with pytest.raises(InputError, match=r"^parts.py changed since net was exported"):
        judge(tmp_path / "build" / "net", module=named(tmp_path / "whole.py"))


@pytest.mark.parametrize(
    ("returned", "size", "sentence"),
    [
        ("return 0.5 * torch.sigmoid(y)", "64", "probabilities and not logits"),
        (
            "assert x.shape[2] != 96\n        return y",
            "96",
            r"size 96x96: .* \(net.py, line 21\)",
        ),
    ],
)
def test_refused_at_the_size_of_the_export(
    returned: str, size: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, path = net_file(tmp_path, returned), trained(tmp_path)
    options = ("--model", f"{source}:Net", "--size", size)
    assert export(path, *options, formats="torchscript") == 2
    assert re.search(sentence, capsys.readouterr().err)
    assert not (tmp_path / "build").exists()


# As torch's exporter logs, through torch's own handler, when it tries one way and then the next.
LOGGED = """if torch.compiler.is_exporting():
            __import__("logging").getLogger("torch._guards").error("a page of traceback")
        """


@pytest.mark.parametrize(
    ("returned", "formats", "sentence"),
    [
        (f"{LOGGED}return y if y.mean().item() > 1e9 else 2 * y", "onnx", "be written as ONNX"),
        ("return y + torch.special.i0e(y)", "mlprogram", "be converted to Core ML.*'special_i0e'"),
        ("return y if x[0, 0, 0, 0] > 0.5 else 2 * y", "torchscript", "Tracing changes what"),
    ],
)
def test_stderr_holds_the_one_sentence(
    returned: str, formats: str, sentence: str, tmp_path: Path
) -> None:
    source, path = net_file(tmp_path, returned), trained(tmp_path)
    words = [str(path), "--out", str(tmp_path / "build"), "--model", f"{source}:Net"]
    command = [
        sys.executable,
        "-m",
        "segport",
        "export",
        *words,
        "--formats",
        formats,
        "--size",
        "32",
    ]
    told = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert told.returncode == 2
    assert re.fullmatch(rf"Error: .*{sentence}.*\n", told.stderr), told.stderr


def test_a_branch_on_the_input_is_traced_where_both_pictures_take_it(tmp_path: Path) -> None:
    path, source = trained(tmp_path), net_file(tmp_path, "return y if y.mean() > 1e9 else 2 * y")
    assert export(path, "--model", f"{source}:Net", formats="torchscript") == 0


def test_a_network_that_fixes_its_batch_is_onnx_for_one_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fixed = "return y.reshape(int(y.shape[0]), 2, *x.shape[2:])"
    path, source = trained(tmp_path), net_file(tmp_path, fixed)
    assert export(path, "--model", f"{source}:Net", formats="onnx") == 0
    folder = tmp_path / "build" / "net"
    assert read_bundle(folder).artifacts[0].notes[0] in capsys.readouterr().out
    batches = [
        each.shape[0] for each in onnxruntime.InferenceSession(folder / "net.onnx").get_inputs()
    ]
    assert batches == [1]


def test_a_network_that_fixes_its_batch_is_torchscript_for_one_picture(tmp_path: Path) -> None:
    fixed = "return y.reshape(int(y.shape[0]), 2, *x.shape[2:])"
    path, source = trained(tmp_path), net_file(tmp_path, fixed)
    assert export(path, "--model", f"{source}:Net", formats="torchscript") == 0
    (note,) = read_bundle(tmp_path / "build" / "net").artifacts[0].notes
    assert note.startswith("net.torchscript.pt takes one picture at a time")
