"""What the demo checkpoint is trained with: known answers for the descent and the views."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from models.demo.descent import OrthogonalDescent, orthogonalised
from models.demo.views import Views, random_view


def test_an_orthogonalised_gradient_is_the_polar_factor() -> None:
    gradient = torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(1))
    left, _, right = torch.linalg.svd(gradient.flatten(1), full_matrices=False)
    torch.testing.assert_close(
        orthogonalised(gradient).flatten(1), left @ right, atol=1e-4, rtol=1e-4
    )


def test_descent_turns_a_weight_and_keeps_its_length() -> None:
    chance = torch.Generator().manual_seed(1)
    wanted = torch.randn(4, 3, 3, 3, generator=chance)
    weight = nn.Parameter(torch.randn(4, 3, 3, 3, generator=chance))
    length = float(weight.detach().norm())
    descent = OrthogonalDescent([weight])
    for step in range(100):
        (weight / weight.norm() - wanted / wanted.norm()).square().sum().backward()
        descent.step(0.1 * (1 - step / 100))
    assert float(F.cosine_similarity(weight.detach().flatten(), wanted.flatten(), 0)) > 0.99
    assert float(weight.detach().norm()) == pytest.approx(length, rel=1e-4)


def test_views_hold_the_picture_and_its_mask_at_the_same_place() -> None:
    mask = torch.zeros(1, 1, 200, 300)
    mask[..., 60:110, 120:190] = 1
    marked = Views(mask.expand(-1, 3, -1, -1) * 0.8, mask)
    chance = torch.Generator().manual_seed(3)
    shares = []
    for _ in range(40):
        view = random_view(marked, 96, 64, chance)
        assert view.images.shape == (1, 3, 64, 64)
        bright = view.images.mean(1) > 0.4
        assert float((bright != (view.masks[:, 0] > 0.5)).float().mean()) < 0.03
        shares.append(float(view.masks.mean()))
    assert max(shares) > 0.05
    assert len(set(shares)) > 20
