"""The table of values that is nearest to a weight's numbers."""

import numpy as np
import pytest

from export.compression.kmeans import palette

WEIGHT = np.random.default_rng(5).laplace(size=(32, 16, 3, 3)).astype(np.float16)


def error(weight: np.ndarray, entries: int) -> float:
    table, indices = palette(weight, entries)
    return float(np.square(weight.astype(float) - table.astype(float)[indices]).mean())


@pytest.mark.parametrize("entries", [16, 64, 256])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_each_number_has_the_entry_nearest_to_it(entries: int, dtype: type) -> None:
    weight = WEIGHT.astype(dtype)
    table, indices = palette(weight, entries)
    assert (table.dtype, table.shape, indices.dtype) == (dtype, (entries,), np.uint8)
    assert (np.diff(table) >= 0).all()
    flat, indices = weight.reshape(-1).astype(np.float64), indices.reshape(-1)
    distances = np.abs(flat[:, None] - table.astype(np.float64))
    assert (np.abs(flat - table.astype(np.float64)[indices]) == distances.min(axis=1)).all()


def test_it_is_better_than_a_uniform_grid_and_than_quantiles() -> None:
    flat = np.sort(WEIGHT.reshape(-1).astype(np.float64))
    grid = np.linspace(flat[0], flat[-1], 16)
    quantiles = np.quantile(flat, (np.arange(16) + 0.5) / 16)
    least = min(
        np.square(np.abs(flat[:, None] - table).min(axis=1)).mean() for table in (grid, quantiles)
    )
    assert error(WEIGHT, 16) < 0.8 * least


def test_few_distinct_numbers_are_kept_as_they_are() -> None:
    weight = np.array([[0.5, -1.0, 0.5, 0.0]], np.float16)
    table, indices = palette(weight, 16)
    assert len(table) == 16
    assert (table[indices] == weight).all()


def test_a_weight_of_one_number_has_a_table() -> None:
    table, indices = palette(np.zeros((4, 4), np.float16), 16)
    assert not table.any() and not indices.any()
