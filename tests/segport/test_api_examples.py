"""The examples of docs/api.md run as they stand."""

import re
import shutil

import pytest
from small_networks import ROOT, calibrated_unet

BLOCKS = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "api.md").read_text(), re.M | re.S)


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A folder photos/ in the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for picture in sorted((ROOT / "samples").glob("*.jpg"))[:2]:
        shutil.copy(picture, "photos")
    return tmp_path / "photos"


@pytest.mark.slow
def test_the_example_of_a_notebook(photos, capsys):
    exec(BLOCKS[0], {})
    told = capsys.readouterr().out.splitlines()
    holds = "Parity holds: all 3 files compute what PyTorch computes"
    assert told[0] == f"{holds} on 2 pictures and 3 probes."
    assert len(told) == 3


@pytest.mark.slow
def test_the_example_of_a_training_script(photos, capsys, monkeypatch):
    names = {}
    exec(BLOCKS[1], names)
    package = names["hand_over"](calibrated_unet().train(), photos)
    assert package.as_posix() == "exports/scratch-v7/scratch-v7.mlpackage"
    assert package.is_dir()
    assert "Checking parity: 1 of 1" in capsys.readouterr().out
    monkeypatch.setattr(
        "validate.runtimes.onnx_session.OnnxSession.run",
        lambda *_: (_ for _ in ()).throw(RuntimeError("out of luck")),
    )
    with pytest.raises(SystemExit) as ended:
        names["hand_over"](calibrated_unet(), photos)
    assert ended.value.code == 1
    assert "scratch-v7.onnx failed" in capsys.readouterr().out
