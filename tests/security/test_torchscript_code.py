"""A TorchScript file says no more than a trace does: anything else is refused before it runs."""

import os
import pickle
import shutil
import warnings
import zipfile
from pathlib import Path

import pytest
import torch
from sealed_bundles import sealed
from small_networks import open_gate
from torch import nn

from export.bundle import read_bundle
from export.pipeline import export
from export.settings import Settings
from models.common.cli import Stages, run, silent_console
from models.errors import InputError
from segport.__main__ import group
from validate.runtimes.torchscript import TorchScript

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def exported(unet, tmp_path_factory) -> Path:
    """The folder of a checkpoint, and of its bundle of one TorchScript file."""
    place = tmp_path_factory.mktemp("torchscript")
    torch.save(unet.state_dict(), place / "net.pt")
    settings = Settings(size=(64, 64), formats=("torchscript",))
    export(place / "net.pt", place / "build", settings, Stages(silent_console()), open_gate)
    return place


@pytest.fixture
def bundle(exported: Path, tmp_path: Path) -> Path:
    """A copy of the bundle, beside its checkpoint."""
    return Path(shutil.copytree(exported, tmp_path / "copy")) / "build" / "net"


@pytest.fixture
def archive(bundle: Path) -> Path:
    return bundle / "net.torchscript.pt"


@pytest.fixture
def call(capsys, monkeypatch):
    """Return a function that runs a command line: (exit code, standard error)."""
    monkeypatch.setattr("signal.signal", lambda *_: None)

    def call(*words):
        monkeypatch.setattr("sys.argv", ["segport", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            run(group, "segport")
        return ended.value.code, capsys.readouterr().err

    return call


def edited(archive: Path, **changes) -> None:
    """Write the archive again, with the records whose names end so changed."""
    with zipfile.ZipFile(archive) as old:
        records = {info.filename: old.read(info) for info in old.infolist()}
    ends = {"code": ".py", "constants": "/constants.pkl", "data": "/data.pkl"}
    with zipfile.ZipFile(archive, "w") as new:
        for name, content in records.items():
            change = next((f for end, f in changes.items() if name.endswith(ends[end])), None)
            new.writestr(name, change(content) if change else content)


def with_line(line: str):
    """Put `line` before the first of `forward`."""

    def change(code: bytes) -> bytes:
        head, mark, rest = code.partition(b"Tuple[Tensor, Tensor]:\n")
        return head + mark + f"    {line}\n".encode() + rest

    return change


def load(archive: Path) -> TorchScript:
    return TorchScript(archive, read_bundle(archive.parent))


def test_a_trace_is_run(archive: Path) -> None:
    edited(archive, code=with_line("image = torch.add(image, 0)"))
    load(archive)


class Saves(nn.Module):
    """Overwrites a file when it is run."""

    def __init__(self, path: str):
        super().__init__()
        self.path = path

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        torch.save(image, self.path)
        return image[:, :2], image[:, 0].to(torch.int32)


class Endless(nn.Module):
    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        while bool(image.sum() > -1):
            image = image + 1
        return image[:, :2], image[:, 0].to(torch.int32)


class Prints(nn.Module):
    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        print("\x1b[2J")  # noqa: T201
        return image[:, :2], image[:, 0].to(torch.int32)


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize(
    ("make", "told"),
    [(Saves, "calls torch.save"), (lambda _: Endless(), "has While"), (lambda _: Prints(), "code")],
)
def test_scripted_code_is_refused_by_the_name_of_what_it_wants(
    bundle: Path, call, make, told: str, frozen: bool
) -> None:
    target = bundle.parent / "precious"
    target.write_text("mine")
    scripted = torch.jit.script(make(str(target))).eval()
    file = str(bundle / "net.torchscript.pt")
    torch.jit.save(torch.jit.freeze(scripted) if frozen else scripted, file)
    sealed(bundle, "torchscript")
    for command in (("validate", bundle), ("predict", bundle, "samples", "--anyway")):
        code, said = call(*command)
        assert code == 2 and said.count("\n") == 1, said
        assert told in said and "net.torchscript.pt" in said and "\x1b" not in said
    assert target.read_text() == "mine"


# Lines that torch's own compiler takes, or might.
LINES = [
    'torch.save(image, "PWN")',
    "x = torch.save\n    x(image)",
    'ops.aten.save(image, "PWN")',
    'image.save("PWN")',
    'getattr(image, "save")("PWN")',
    'x = getattr(image, "save")\n    x("PWN")',
    "torch = ops.aten",
    'y = torch.from_file("/etc/passwd")',
    "print(image)",
    "ops.prim.Print(image)",
    "ops.image.read_file(image)",
    "y = torch.set_(image, image)",
    "y = torch.resize_(image, [64])",
    "y = torch._cast_Float(image)",
    "y = torch.fbgemm_pack_quantized_matrix(image)",
    "torch.manual_seed(3)",
    'torch.warn("x")',
    "y = fork(image)",
    "y = torch.wait(image)",
    "for i in range(4611686018427387904):\n      y = 1",
    "while True:\n      pass",
    "y = [x for x in [1]]",
    'y = "a"',
    'y = torch.add("a", "a")',
    "y = [1] * 4611686018427387904",
    "a = (1, 1)\n    b = (a, a)",
    "y = annotate(Any, ((1, 1), (1, 1)))",
    "def inner(x: int=torch.seed()):\n      return x",
    "y = 1 # \r    torch.save(image)",
    "y = 1\\\n",
    "with image:\n      pass",
    "y = {}",
    "assert True",
    "global z",
    "z = lambda: 1",
    "y = " + "-" * 100_000 + "1",
    "y = " + "[" * 100_000 + "]" * 100_000,
]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[:40])
def test_a_line_that_no_trace_has_is_refused(archive: Path, line: str) -> None:
    edited(archive, code=with_line(line))
    with pytest.raises(InputError, match=r"net\.torchscript\.pt is not run: its code "):
        load(archive)
    assert not Path("PWN").exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda code: code.replace(b"image: Tensor)", b"image: Tensor, x: int=torch.seed())"),
        lambda code: code.replace(b"image: Tensor)", b"image: Tensor, x: str='a')"),
        lambda code: code + b"  def __setstate__(self, x: int) -> None:\n    return None\n",
        lambda code: code + b"  def other(self) -> int:\n    return 1\n",
        lambda code: code + b"class Other(Module):\n  __parameters__ = []\n",
        lambda code: code + b"def free() -> int:\n  return 1\n",
        lambda code: code.replace(b"__buffers__ = []", b"__forward_hooks__ = ['forward']"),
        lambda code: code.replace(b"__buffers__ = []", b"x : Final[int] = torch.seed()"),
        lambda code: code.replace(b"__buffers__ = []", b"x : Final[int] = 1"),
        lambda code: code.replace(b"__buffers__ = []", b"__annotations__['x'] = torch.rand(1)"),
        lambda code: code.replace(b"(Module)", b"(torch.seed())"),
        lambda code: b"import os\n" + code,
        lambda code: b"(" * 100_000 + code,
        lambda code: code.replace(b"\n", b"\r"),
        lambda code: code + b"\xff\x00",
        lambda code: code + b"\n" * (1 << 22),
    ],
)
def test_code_that_would_run_while_it_is_loaded_is_refused(archive: Path, change) -> None:
    edited(archive, code=change)
    with pytest.raises(InputError, match=r"net\.torchscript\.pt is not run: "):
        load(archive)


class Runs:
    def __reduce__(self):
        return os.system, ("touch PWN",)


def test_a_tensor_beyond_its_record_is_refused(archive: Path) -> None:
    """Torch itself would read what lies behind it in memory."""

    def larger(content: bytes) -> bytes:
        return content.replace(b"K\x00(", b"J\xff\xff\xff\x7f(", 1)  # its offset

    for change, told in (
        (larger, "beyond its record"),
        (lambda _: pickle.dumps((Runs(),), 2), r"it wants to use \w+\.system"),
        (lambda c: c.replace(b"FloatStorage", b"LongStorage"), "beyond its record"),
    ):
        content = archive.read_bytes()
        edited(archive, constants=change)
        with pytest.raises(InputError, match=told):
            load(archive)
        archive.write_bytes(content)
    assert not Path("PWN").exists()


def test_objects_of_torchs_own_classes_are_refused(archive: Path) -> None:
    named = b"__torch__.torch.classes.quantized\nLinearPackedParamsBase\n"

    def other(content: bytes) -> bytes:
        return content[:2] + b"c" + named + content[content.index(b"Deployable\n") + 11 :]

    edited(archive, data=other)
    with pytest.raises(InputError, match=r"torch\.classes"):
        load(archive)


@pytest.mark.parametrize("name", ["code/x.py", "CODE/X.PY", "model.json", "DATA.PKL"])
def test_records_that_no_trace_has_are_refused(archive: Path, name: str) -> None:
    with zipfile.ZipFile(archive, "a") as opened, warnings.catch_warnings():
        top = opened.namelist()[0].partition("/")[0]
        opened.writestr(f"{top}/{name}", "torch.save(1)")
    with pytest.raises(InputError, match="is not run"):
        load(archive)


def test_compressed_code_is_not_expanded_without_bound(archive: Path) -> None:
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("net/extra/zeros", bytes(1 << 27))
    with pytest.raises(InputError, match="expand to"):
        load(archive)


def test_what_the_export_writes_of_a_scripted_loop_is_refused_with_advice(archive: Path) -> None:
    torch.jit.save(torch.jit.freeze(torch.jit.script(Endless().eval())), str(archive))
    with pytest.raises(InputError, match="leave torchscript out of FORMATS="):
        load(archive)
