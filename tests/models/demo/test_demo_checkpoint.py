"""The demo checkpoint: follows the samples' damage, and is a healthy, reproducible file."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from models.demo.checkpoint import LABELS, make_demo_checkpoint, untrained
from models.demo.fit import Plan, fit
from models.demo.samples import read_samples
from models.demo.views import Views, originals
from models.deployable import Deployable
from models.errors import InputError
from models.specification import InputContract
from models.weight_checks import examine
from validate.images.reading import RGBImage
from validate.metrics.float16_noise import Noise, float16_noise
from validate.runtimes.eager import Eager

SAMPLES = Path(__file__).parents[3] / "samples"
SMALL = Plan(size=96, crop=64, batch=4, steps=60)
TINY = Plan(size=64, crop=32, steps=2)
PAINTED = 0.015
"""Largest share of the undamaged picture that may be called broken."""


@torch.no_grad()
def predicted(network: nn.Module, images: Tensor) -> Tensor:
    return torch.cat([network(image[None]).argmax(1) == 1 for image in images])


def mean_iou(network: nn.Module, seen: Views) -> float:
    """IoU of breakage, the mean over the pictures that have any."""
    pairs = zip(predicted(network, seen.images), seen.masks[:, 0] > 0.5, strict=True)
    return float(torch.stack([(p & t).sum() / (p | t).sum() for p, t in pairs if t.any()]).mean())


def painted(network: nn.Module, seen: Views) -> float:
    """Share of the undamaged pictures that is called broken."""
    undamaged = ~(seen.masks > 0.5).flatten(1).any(1)
    assert undamaged.any()
    return float(predicted(network, seen.images[undamaged]).float().mean())


def pixels(seen: Views) -> list[RGBImage]:
    return [(image * 255).byte().numpy().transpose(1, 2, 0) for image in seen.images]


def noise(network: nn.Module, seen: Views) -> Noise:
    deployable = Deployable(network, InputContract(*seen.images.shape[2:]))
    found = float16_noise(deployable, [(p, Eager(deployable).run(p)) for p in pixels(seen)])
    assert found is not None
    return found


@torch.no_grad()
def frozen_psnr(network: nn.Module, images: Tensor) -> float:
    """PSNR in dB of the network's frozen TorchScript trace, the worst of the pictures."""
    frozen = torch.jit.freeze(torch.jit.trace(network, images[:1]))
    worst = math.inf
    for image in images:
        plain, traced = network(image[None]), frozen(image[None])
        error = float((plain - traced).square().mean().sqrt())
        worst = min(worst, 20 * math.log10(float(plain.max() - plain.min()) / error))
    return worst


def few() -> Views:
    """Three damaged pictures, and the undamaged one."""
    samples = read_samples(SAMPLES)
    return originals([*samples[:3], samples[-1]])


def rounded_otherwise(encoder: str) -> nn.Module:
    """The untrained network with its weights' last digits moved, as other processors move sums."""
    network = untrained(encoder)
    chance = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(1 + 1e-6 * torch.randn(weight.shape, generator=chance))
    return network


@pytest.fixture(scope="module")
def small() -> tuple[nn.Module, Views]:
    """A network of full depth, fitted to four samples at small size."""
    network = untrained("resnet18")
    fit(network, few(), SMALL)
    return network, few().resized(SMALL.size, SMALL.size)


def test_masks_follow_the_damage_that_was_fitted(small: tuple[nn.Module, Views]) -> None:
    network, seen = small
    assert mean_iou(network, seen) > 0.65
    assert painted(network, seen) < PAINTED
    noise = torch.rand(seen.images.shape, generator=torch.Generator().manual_seed(1))
    assert mean_iou(network, Views(noise, seen.masks)) < 0.2


@pytest.mark.parametrize(
    ("start", "plan"),
    [
        pytest.param(untrained, replace(SMALL, seed=1), id="another seed"),
        pytest.param(rounded_otherwise, SMALL, id="other rounding"),
    ],
)
def test_neither_chance_nor_rounding_decides_how_a_fit_ends(
    start: Callable[[str], nn.Module], plan: Plan
) -> None:
    network = start("resnet18")
    fit(network, few(), plan)
    seen = few().resized(plan.size, plan.size)
    assert mean_iou(network, seen) > 0.65
    assert painted(network, seen) < PAINTED


def test_fitting_again_gives_the_same_weights() -> None:
    first, again = untrained("resnet18"), untrained("resnet18")
    fit(first, few(), TINY)
    fit(again, few(), TINY)
    for key, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[key]), key


def test_weights_look_trained_and_sound(small: tuple[nn.Module, Views]) -> None:
    network, _ = small
    state = network.state_dict()
    fresh = untrained("resnet18").state_dict()
    assert examine(state) == ()
    for key, value in state.items():
        if key.endswith("running_var"):
            assert float(value.min()) > 0, key
        if "running" in key or not key.startswith("encoder."):
            assert not torch.equal(value, fresh[key]), key


def test_batch_norms_hold_the_statistics_of_the_samples(small: tuple[nn.Module, Views]) -> None:
    network, seen = small
    inputs: list[Tensor] = []
    norm = network.encoder.bn1
    handle = norm.register_forward_hook(lambda _, given, __: inputs.append(given[0]))
    with torch.no_grad():
        network(seen.images)
    handle.remove()
    torch.testing.assert_close(norm.running_mean, inputs[0].mean((0, 2, 3)), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(norm.running_var, inputs[0].var((0, 2, 3)), atol=1e-3, rtol=1e-2)


def test_rounding_moves_the_logits_no_more_than_those_of_a_trained_network(
    small: tuple[nn.Module, Views],
) -> None:
    network, seen = small
    found = noise(network, seen)
    assert found.psnr is not None
    assert found.psnr > 65
    assert 0 < found.relative_error < 0.01
    assert frozen_psnr(network, seen.images) > 120


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


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[nn.Module]:
    """The demo checkpoint itself, loaded."""
    path = tmp_path_factory.mktemp("demo") / "breakage.pt"
    make_demo_checkpoint(path, SAMPLES)
    contents = torch.load(path, weights_only=True)
    assert contents["labels"] == list(LABELS)
    assert "no damage detector" in contents["note"]
    assert examine(contents["state_dict"]) == ()
    network = untrained()
    network.load_state_dict(contents["state_dict"])
    yield network.eval()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("height", "width", "goal"),
    [(256, 256, 0.65), (224, 224, 0.55), (320, 256, 0.55)],
)
def test_the_full_checkpoint_follows_every_damage(
    full: nn.Module, height: int, width: int, goal: float
) -> None:
    """Most of all at the size and the proportions of its training."""
    seen = originals(read_samples(SAMPLES)).resized(height, width)
    assert mean_iou(full, seen) > goal
    assert painted(full, seen) < PAINTED


@pytest.mark.slow
def test_the_full_checkpoint_bears_a_shift_and_another_resize(full: nn.Module) -> None:
    samples = read_samples(SAMPLES)
    seen = originals(samples)
    shifted = Views(seen.images[..., 8:, 10:], seen.masks[..., 8:, 10:]).resized(256, 256)
    assert mean_iou(full, shifted) > 0.45
    resized = [
        Image.fromarray(s.photo).resize((256, 256), Image.Resampling.BILINEAR) for s in samples
    ]
    images = torch.from_numpy(np.stack(resized).transpose(0, 3, 1, 2) / np.float32(255))
    assert mean_iou(full, Views(images, seen.resized(256, 256).masks)) > 0.45


@pytest.mark.slow
def test_the_full_checkpoint_is_as_well_conditioned_as_a_trained_network(full: nn.Module) -> None:
    seen = originals(read_samples(SAMPLES)).resized(256, 256)
    found = noise(full, seen)
    assert found.psnr is not None
    assert found.psnr > 68
    assert found.relative_error < 0.01
    assert frozen_psnr(full, seen.images) > 125
