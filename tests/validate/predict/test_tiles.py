"""Tiles of a photo: joined without a trace where they can be, blended where they cannot."""

import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from seeded_states import Made, loaded

from models.errors import InputError
from models.specification import InputContract, Specification
from validate.predict.blend import Seams, blended, tiled_mask
from validate.predict.tiles import TiledSide, mirrored, plan

PADDED = Specification("any", "network", 3, 2, stride=8, arguments={})


def photo(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def pointwise(tile):
    """Logits that depend on a pixel alone, as a 1 × 1 convolution's do."""
    values = tile.astype(np.float32).transpose(2, 0, 1)
    return np.stack([values[0] - values[1], values[2] * 0.5 - 30])


def joined(picture, tiling, run):
    """All parts put together, as large as what the tiles cover, and the seams."""
    seams, canvas = Seams(), None
    for top, left, part in blended(picture, tiling, run, seams):
        if canvas is None:
            canvas = np.full((len(part), tiling.rows.end, tiling.columns.end), np.nan, np.float32)
        place = canvas[:, top : top + part.shape[1], left : left + part.shape[2]]
        assert np.isnan(place).all()  # no part is given twice
        place[...] = part
    assert not np.isnan(canvas).any()
    return canvas, seams


@given(st.integers(1, 40), st.integers(0, 100), st.integers(0, 100))
def test_mirrors_as_numpy_does(size, before, after):
    line = np.arange(size)
    expected = np.pad(line, (before, after), mode="reflect")
    assert np.array_equal(line[mirrored(np.arange(-before, size + after), size)], expected)


@given(st.integers(1, 400), st.integers(4, 12), st.integers(0, 3), st.integers(0, 16))
def test_tiles_cover_a_line_once_or_twice(size, eighths, margin, overlap):
    specification = Specification("f", "a", 3, 2, stride=8, arguments={}, margin=margin)
    contract = InputContract(8 * eighths, 64)
    tiling = plan(photo(5, size), contract, specification, min(overlap, 4 * eighths - margin))
    axis = tiling.columns
    times = np.zeros(axis.end, int)
    for start in axis.starts:
        assert start % 8 == 0
        times[start : start + axis.output] += 1
    assert axis.end >= size
    assert set(times.tolist()) <= {1, 2}
    assert len(axis.starts) == 1 or axis.end - axis.step < size  # no tile for nothing


@pytest.fixture(scope="module")
def unpadded(tmp_path_factory):
    """An original U-Net of three levels with transposed convolutions: (network, specification)."""
    made, widths = Made(), (6, 8, 10)
    for level, (below, width) in enumerate(zip((3, *widths), widths, strict=False)):
        for number, inputs in ((0, below), (2, width)):
            made.conv(f"down_path.{level}.block.{number}", inputs, width)
    for step, (below, width) in enumerate(((10, 8), (8, 6))):
        made.transposed(f"up_path.{step}.up", below, width)
        for number, inputs in ((0, 2 * width), (2, width)):
            made.conv(f"up_path.{step}.conv_block.block.{number}", inputs, width)
    made.conv("last", 6, 2, 1)
    return loaded(made.state, tmp_path_factory.mktemp("unpadded"), padding="valid")


@pytest.mark.parametrize(
    ("height", "width", "tile", "overlap"),
    [
        (130, 181, (92, 76), None),
        (130, 181, (92, 76), 9),
        (23, 30, (92, 92), None),  # a photo smaller than one tile's output
        (1, 100, (60, 76), None),
        (104, 112, (92, 60), None),  # whole steps
    ],
)
def test_an_unpadded_network_gives_what_it_gives_for_the_whole(
    unpadded, height, width, tile, overlap
):
    network, specification = unpadded
    margin, picture = specification.margin, photo(height, width)
    assert margin == 20

    def run(pixels):
        tensor = torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None] / 255
        with torch.inference_mode():
            return network(tensor)[0].numpy()

    tiling = plan(picture, InputContract(*tile), specification, overlap)
    logits, seams = joined(picture, tiling, run)
    beyond = (tiling.rows.end - height, tiling.columns.end - width)
    borders = [(margin, margin + extra) for extra in beyond]
    whole = run(np.pad(picture, (*borders, (0, 0)), mode="reflect"))
    assert logits.shape == whole.shape
    assert np.abs(logits - whole).max() < 1e-5 * np.ptp(whole)
    mask, counted = tiled_mask(picture, tiling, run)
    assert np.array_equal(mask, whole.argmax(0)[:height, :width])
    assert height == 1 or 0 < mask.mean() < 1
    assert (seams.differing, counted.differing) == (0, 0)


def test_a_tile_that_is_no_multiple_of_the_stride_overlaps_by_the_rest():
    specification = Specification("f", "a", 3, 2, stride=16, arguments={}, offset=12, margin=92)
    tiling = plan(photo(9, 2000), InputContract(572, 572), specification, None)
    assert (tiling.columns.output, tiling.columns.step, tiling.columns.overlap) == (388, 384, 4)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (100, 171), (20, 300), (1, 1)])
@pytest.mark.parametrize("overlap", [None, 0, 32])
def test_where_tiles_agree_nothing_changes_to_the_bit(height, width, overlap):
    picture = photo(height, width)
    tiling = plan(picture, InputContract(64, 64), PADDED, overlap)
    logits, seams = joined(picture, tiling, pointwise)
    assert np.array_equal(logits[:, :height, :width], pointwise(picture))
    assert seams.differing == 0
    assert (seams.pixels > 0) == (overlap != 0 and max(height, width) > 64)


def test_where_tiles_disagree_the_way_is_smooth_and_the_seam_counted():
    answers = iter([-1.0, 3.0])

    def run(tile):
        return np.full((1, 64, 64), next(answers), np.float32)

    picture = photo(64, 112)
    tiling = plan(picture, InputContract(64, 64), PADDED, 16)
    logits, seams = joined(picture, tiling, run)
    line = logits[0, 30]
    assert (line[:48] == -1).all()
    assert (line[64:] == 3).all()
    steps = np.diff(line)
    assert (steps >= 0).all()
    assert steps.max() < 4 * np.pi / 2 / 16 + 1e-6  # the steepest of a cosine
    assert line[48] + line[63] == pytest.approx(2)  # as far from one tile as from the other
    assert (seams.pixels, seams.differing, seams.worst, seams.place) == (1024, 1024, 1.0, (48, 0))


def test_only_pixels_of_the_photo_are_counted():
    def run(tile):
        return np.zeros((2, 64, 64), np.float32)

    seams = tiled_mask(photo(70, 50), plan(photo(70, 50), InputContract(64, 64), PADDED, 16), run)[
        1
    ]
    assert seams.pixels == 16 * 50


def test_memory_grows_with_the_mask_alone():
    """Beside the photo: its mask of one byte a pixel, a tile, and the overlap of one row."""

    def peak(height, width):
        picture = np.zeros((height, width, 3), np.uint8)
        tiling = plan(picture, InputContract(64, 64), PADDED, None)
        tracemalloc.start()
        tiled_mask(picture, tiling, lambda tile: np.zeros((4, 64, 64), np.float32))
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return taken - height * width

    few, many = peak(300, 400), peak(3000, 400)
    assert many < few * 1.1 < 0.5 * 4 * 4 * 300 * 400  # far below the logits of the small one


@pytest.mark.parametrize(
    ("output", "margin", "stride", "overlap", "told"),
    [(64, 0, 8, 33, "at most half"), (12, 20, 16, None, "larger SIZE=")],
)
def test_tiles_that_cannot_be_joined_are_refused(output, margin, stride, overlap, told):
    specification = Specification("f", "a", 3, 2, stride=stride, arguments={}, margin=margin)
    contract = InputContract(output + 2 * margin, output + 2 * margin)
    with pytest.raises(InputError, match=told):
        plan(photo(10, 10), contract, specification, overlap)


def test_a_whole_photo_of_one_tile_is_one_tile():
    axis = TiledSide(size=64, tile=64, margin=0, step=48)
    assert (list(axis.starts), axis.end) == ([0], 64)
    assert list(TiledSide(size=65, tile=64, margin=0, step=48).starts) == [0, 48]
