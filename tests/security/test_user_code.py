"""Code named by --model that would end the process is told in a sentence, with its line."""

from pathlib import Path

import pytest
import torch
from torch import nn

from models.common.cli import OutputClosed, run
from models.custom.option import parse_named
from models.errors import InputError
from models.load import recognise_checkpoint
from models.specification import Choices
from segport.__main__ import group

NETWORK = """
import sys
from torch import nn

class Net(nn.Module):
    calls = 0

    def __init__(self):
        super().__init__()
        {factory}
        self.conv = nn.Conv2d(3, 2, 1)

    def forward(self, image):
        Net.calls += 1
        {forward}
        return self.conv(image)
"""


class Ended(BaseException):
    """No Exception, as an exit of somebody's own."""


@pytest.fixture
def recognised(tmp_path: Path):
    """Return a function that runs the code of a network beside its checkpoint."""
    torch.save(nn.ModuleDict({"conv": nn.Conv2d(3, 2, 1)}).state_dict(), tmp_path / "net.pt")

    def recognise(code: str):
        (tmp_path / "net.py").write_text(code)
        named = parse_named(f"{tmp_path / 'net.py'}:Net", None)
        return recognise_checkpoint(tmp_path / "net.pt", choices=Choices(), module=named)

    return recognise


ENDINGS = ["sys.exit(0)", "raise GeneratorExit", "raise type('Odd', (KeyboardInterrupt,), {})()"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_it_is_refused_wherever_it_ends_the_process(recognised, ending: str) -> None:
    for code, line in (
        (NETWORK.format(factory=ending, forward="pass"), 10),
        (NETWORK.format(factory="pass", forward=ending), 15),
        (f"import sys\n{ending}\n", 2),
    ):
        with pytest.raises(InputError, match=rf"\(net\.py, line {line}\)"):
            recognised(code)


def test_it_may_end_it_late(tmp_path: Path, recognised, monkeypatch, capsys) -> None:
    """Long after the network was recognised, as in its export."""
    late = NETWORK.format(factory="pass", forward="if Net.calls > LATE: sys.exit(0)")
    recognised(late.replace("LATE", "10_000"))
    words = ("export", tmp_path / "net.pt", "--out", tmp_path, "--formats", "torchscript,onnx")
    own = ("--model", f"{tmp_path / 'net.py'}:Net", "--size", "64")
    monkeypatch.setattr("sys.argv", ["segport", *map(str, words), *own])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    for calls in (1, 12, 25):
        (tmp_path / "net.py").write_text(late.replace("LATE", str(calls)))
        with pytest.raises(SystemExit) as ended:
            run(group, "segport")
        told = capsys.readouterr().err
        assert ended.value.code == 2, told
        assert "SystemExit: 0" in told and told.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix) == ["net.pt", "net.py"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OutputClosed])
def test_ctrl_c_and_a_closed_output_pass(recognised, monkeypatch, error) -> None:
    monkeypatch.setattr("builtins.print", lambda *_: (_ for _ in ()).throw(error))
    for factory, forward in (("print()", "pass"), ("pass", "print()")):
        with pytest.raises(error):
            recognised(NETWORK.format(factory=factory, forward=forward))
