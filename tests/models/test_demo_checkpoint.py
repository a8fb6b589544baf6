"""The demo checkpoint: follows the samples' damage, and is a healthy, reproducible file."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from models.demo import make_demo_checkpoint
from models.demo.checkpoint import LABELS, untrained, views
from models.demo.fit import Views, _solve, fit
from models.demo.samples import read_samples
from models.errors import InputError
from models.health import examine

SAMPLES = Path(__file__).parents[2] / "samples"


def iou(network: nn.Module, seen: Views) -> float:
    """IoU of breakage over all the pictures together."""
    with torch.no_grad():
        logits = torch.cat([network(image[None]) for image in seen.images])
    predicted, true = logits.argmax(1) == 1, seen.masks[:, 0] > 0.5
    return float((predicted & true).sum() / (predicted | true).sum())


@pytest.fixture(scope="module")
def small() -> tuple[nn.Module, Views]:
    """A network of full depth, fitted to four samples at a quarter of the size."""
    seen = views(read_samples(SAMPLES)[:4], 64, 64)
    network = untrained("resnet18")
    fit(network, seen, entries=2_000_000)
    return network, seen


def test_masks_follow_the_damage_that_was_fitted(small: tuple[nn.Module, Views]) -> None:
    network, seen = small
    assert iou(network, seen) > 0.5
    unseen = Views(torch.rand_like(seen.images), seen.masks)
    assert iou(network, unseen) < 0.3


def test_fitting_again_gives_the_same_weights(small: tuple[nn.Module, Views]) -> None:
    network, seen = small
    again = untrained("resnet18")
    fit(again, seen, entries=2_000_000)
    for key, value in network.state_dict().items():
        assert torch.equal(value, again.state_dict()[key]), key


def test_weights_look_trained_and_sound(small: tuple[nn.Module, Views]) -> None:
    network, _ = small
    state = network.state_dict()
    assert examine(state) == ()
    for key, value in state.items():
        if key.endswith("running_var"):
            assert float(value.min()) > 0, key


def test_batch_norms_hold_the_statistics_of_the_samples(small: tuple[nn.Module, Views]) -> None:
    network, seen = small
    inputs: list[Tensor] = []
    norm = network.decoder.blocks[2].conv2[1]
    handle = norm.register_forward_hook(lambda _, given, __: inputs.append(given[0]))
    with torch.no_grad():
        network(seen.images)
    handle.remove()
    torch.testing.assert_close(norm.running_mean, inputs[0].mean((0, 2, 3)), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(norm.running_var, inputs[0].var((0, 2, 3)), atol=1e-3, rtol=1e-2)


def test_activations_stay_far_inside_half_precision(small: tuple[nn.Module, Views]) -> None:
    network, seen = small
    largest: list[float] = []
    handles = [
        module.register_forward_hook(lambda _, __, out: largest.append(float(out.abs().max())))
        for module in network.modules()
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d)
    ]
    with torch.no_grad():
        network(seen.images)
    for handle in handles:
        handle.remove()
    assert 0 < min(largest) < max(largest) < 1000


@pytest.mark.parametrize("shape", [(40, 12), (12, 40)])
def test_both_systems_solve_the_ridge_regression(shape: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(1)
    rows = torch.randn(shape, generator=generator)
    wanted = torch.randn(shape[0], 2, generator=generator)
    gram = rows.double().T @ rows.double() + 0.1 * shape[0] * torch.eye(shape[1]).double()
    expected = torch.linalg.inv(gram) @ rows.double().T @ wanted.double()
    torch.testing.assert_close(_solve(rows, wanted, 0.1).double(), expected, atol=1e-5, rtol=1e-4)


def test_a_folder_without_samples_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no sample photo"):
        make_demo_checkpoint(tmp_path / "new" / "breakage.pt", tmp_path)
    assert not (tmp_path / "new").exists()


def test_an_unwritable_place_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.demo.checkpoint.fit", lambda *_: None)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(InputError, match="cannot be written"):
        make_demo_checkpoint(tmp_path / "file" / "breakage.pt", SAMPLES)


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_disk(*_: object) -> None:
        raise RuntimeError("file write failed")

    monkeypatch.setattr("models.demo.checkpoint.fit", lambda *_: None)
    monkeypatch.setattr("torch.save", fill_disk)
    (tmp_path / "breakage.pt").write_text("old")
    with pytest.raises(InputError, match="file write failed"):
        make_demo_checkpoint(tmp_path / "breakage.pt", SAMPLES)
    assert [p.name for p in tmp_path.iterdir()] == ["breakage.pt"]
    assert (tmp_path / "breakage.pt").read_text() == "old"


@pytest.mark.slow
def test_the_full_checkpoint_follows_every_damage(tmp_path: Path) -> None:
    path = tmp_path / "breakage.pt"
    make_demo_checkpoint(path, SAMPLES)
    contents = torch.load(path, weights_only=True)
    assert contents["labels"] == list(LABELS)
    assert "no damage detector" in contents["note"]
    network = untrained()
    network.load_state_dict(contents["state_dict"])
    network.eval()
    assert examine(contents["state_dict"]) == ()
    assert iou(network, views(read_samples(SAMPLES), 256, 256)) > 0.8
