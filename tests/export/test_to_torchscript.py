"""A written TorchScript archive: what torch itself saves, without the paths of source files."""

import io
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from export.to_torchscript import EXTRA_FILE, write_torchscript


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.GELU()], ids=["version 3", "version 10"])
def test_it_is_what_torch_saves_but_for_sources(activation: nn.Module, tmp_path: Path) -> None:
    """The newer GELU raises the archive's version, which decides what loading upgrades."""
    network = nn.Sequential(nn.Conv2d(3, 2, 3), activation).eval()
    x = torch.rand(1, 3, 8, 8)
    traced = torch.jit.trace(network, x)
    path = tmp_path / "net.torchscript.pt"
    write_torchscript(traced, path, {"segport.schema": "1"})
    expected = zipfile.ZipFile(io.BytesIO(torch.jit.freeze(traced).save_to_buffer()))
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        (version,) = (name for name in expected.namelist() if name.endswith("version"))
        assert archive.read(version) == expected.read(version)
        assert any(name.endswith(".py.debug_pkl") for name in expected.namelist())
        assert not any(name.endswith(".debug_pkl") for name in names)
        assert len(set(names)) == len(names) == len(expected.namelist())
        assert not any(b"site-packages" in archive.read(name) for name in names)
    extra = {EXTRA_FILE: ""}
    assert torch.equal(torch.jit.load(path, _extra_files=extra)(x), network(x))
    assert extra[EXTRA_FILE] == b'{"segport.schema": "1"}'
