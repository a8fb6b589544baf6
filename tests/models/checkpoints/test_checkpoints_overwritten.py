"""A checkpoint that training writes anew meanwhile: never a crash, never weights of both."""

import models.torchvision_shim  # noqa: F401  (before segmentation_models_pytorch)

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from models.checkpoints import read, read_checkpoint
from models.errors import InputError

BYTES = 1 << 20  # more than a page, so that a mapping would reach beyond a shorter file


@pytest.fixture(params=["zip", "legacy"])
def checkpoint(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Path, torch.Tensor]:
    weight = torch.rand(BYTES // 4, generator=torch.Generator().manual_seed(0)).reshape(4, -1, 4, 4)
    path = tmp_path / "net.pt"
    modern = request.param == "zip"
    torch.save({"conv.weight": weight}, path, _use_new_zipfile_serialization=modern)
    return path, weight


def test_weights_that_were_read_do_not_depend_on_the_file(
    checkpoint: tuple[Path, torch.Tensor],
) -> None:
    path, weight = checkpoint
    found = read_checkpoint(path).tensors["conv.weight"]
    os.truncate(path, 0)
    assert torch.equal(found, weight)


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen between a file's opening and the reading of its weights."""
    choose = read.choose

    def later(*arguments: object) -> object:
        happens()
        return choose(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(read, "choose", later)


def test_a_file_that_becomes_shorter_is_refused(
    checkpoint: tuple[Path, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = checkpoint
    meanwhile(monkeypatch, lambda: os.truncate(path, 5000))
    with pytest.raises(InputError, match=r"net\.pt cannot be read: it became shorter while"):
        read_checkpoint(path)


def test_a_file_that_is_replaced_is_refused(
    checkpoint: tuple[Path, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = checkpoint
    new = path.with_name("new.pt")
    new.write_bytes(path.read_bytes())
    meanwhile(monkeypatch, lambda: new.replace(path))
    with pytest.raises(InputError, match=r"net\.pt changed while it was read: wait until"):
        read_checkpoint(path)
