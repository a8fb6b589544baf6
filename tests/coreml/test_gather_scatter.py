"""Gather and scatter against numpy, element by element, and at the edges of their index range."""

import itertools

import numpy as np
import pytest
import torch

from models.errors import InputError
from validate.coreml.ops import gather, scatter

MODES = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "max": np.maximum,
    "min": np.minimum,
    "update": lambda _, new: new,
}


def tensor(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).uniform(0.5, 2, shape).astype(np.float32))


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_gather_agrees_with_numpy(axis):
    x, indices = tensor(3, 4, 5), np.array([[0, -1], [2, 1]])
    result = gather.gather(x, torch.from_numpy(indices), axis)
    np.testing.assert_array_equal(result, np.take(x.numpy(), indices, axis))


def test_gather_with_batch_dimensions_takes_within_each_batch():
    x, indices = tensor(2, 3, 4, 5), np.random.default_rng(0).integers(0, 4, (2, 6))
    result = gather.gather(x, torch.from_numpy(indices), axis=2, batch_dims=1)
    expected = np.stack([np.take(x[n].numpy(), indices[n], 1) for n in range(2)])
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_gather_nd_takes_the_slice_that_each_index_names(depth):
    x = tensor(2, 3, 4, 5)
    indices = np.random.default_rng(0).integers(0, 3, (2, 7, depth))
    result = gather.gather_nd(x, torch.from_numpy(indices), batch_dims=1)
    assert result.shape == (2, 7, *x.shape[1 + depth :])
    for batch, place in itertools.product(range(2), range(7)):
        expected = x[batch][tuple(indices[batch, place])]
        np.testing.assert_array_equal(result[batch, place], expected)


@pytest.mark.parametrize("mode", MODES)
def test_scatter_applies_updates_one_after_another(mode):
    data, updates, indices = tensor(2, 4, 3), tensor(2, 5, 3, seed=1), [0, 3, -1, 0, 3]
    result = scatter.scatter(data, torch.tensor(indices), updates, axis=1, mode=mode)
    expected = data.numpy().copy()
    for number, index in enumerate(indices):
        expected[:, index] = MODES[mode](expected[:, index], updates[:, number].numpy())
    np.testing.assert_allclose(result, expected, rtol=1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_scatter_nd_combines_the_slice_that_each_index_names(mode):
    data, updates = tensor(3, 4, 2), tensor(3, 2, seed=1)
    indices = [[2, 1], [0, 0], [2, 1]]
    result = scatter.scatter_nd(data, torch.tensor(indices), updates, mode)
    expected = data.numpy().copy()
    for index, update in zip(indices, updates.numpy(), strict=True):
        expected[tuple(index)] = MODES[mode](expected[tuple(index)], update)
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_scatter_along_axis_agrees_with_numpy():
    data, indices = tensor(3, 4), np.array([[2, 0, -3, 1]])
    updates = tensor(1, 4, seed=1)
    result = scatter.scatter_along_axis(data, torch.from_numpy(indices), updates, mode="update")
    expected = data.numpy().copy()
    np.put_along_axis(expected, indices, updates.numpy(), 0)
    np.testing.assert_array_equal(result, expected)


def test_an_index_out_of_range_is_refused_up_to_ios16():
    x = tensor(3, 2)
    for index in (3, -4):
        with pytest.raises(InputError, match="out of range: the size is 3"):
            gather.gather(x, torch.tensor([index]))
        with pytest.raises(InputError, match="out of range: the size is 3"):
            scatter.scatter(x, torch.tensor([index]), x[:1])


def test_from_ios17_validation_decides_over_an_index_out_of_range():
    x = tensor(3, 2)
    outside = torch.tensor([-1, 3])
    np.testing.assert_array_equal(gather.gather_ios17(x, outside), x[[0, 2]])
    np.testing.assert_array_equal(scatter.scatter_ios17(x, outside, x[:2]), x)
    nowhere = torch.tensor([[0, 2], [-1, 0]])
    np.testing.assert_array_equal(scatter.scatter_nd_ios17(x, nowhere, x[0]), x)
    with pytest.raises(InputError, match="out of range"):
        gather.gather_ios17(x, outside, validate_indices=True)
    with pytest.raises(InputError, match="out of range"):
        scatter.scatter_ios17(x, outside, x[:2], validate_indices=True)
    with pytest.raises(InputError, match="out of range"):
        scatter.scatter_nd_ios17(x, nowhere, x[0], validate_indices=True)
