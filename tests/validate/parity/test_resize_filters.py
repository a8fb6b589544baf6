"""The phone's way from photo to mask beside the training's."""

import copy

import numpy as np
import pytest
import torch
from PIL import Image

from export.bundle import read_bundle
from models.deployable import Deployable
from validate.images.reading import read_picture, stretch
from validate.parity.resize_filters import FILTERS, PHOTOS
from validate.parity.run import judge, judge_network
from validate.report.json_file import read_results, to_json
from validate.runtimes.eager import Eager


@pytest.fixture
def large_photos(tmp_path):
    """Three pictures of 150 × 200 with fine detail, on which filters differ."""
    rng = np.random.default_rng(3)
    folder = tmp_path / "large photos"
    folder.mkdir()
    for number in range(3):
        coarse = np.kron(rng.integers(0, 256, (15, 20, 3)), np.ones((10, 10, 1)))
        noisy = np.clip(coarse + rng.normal(0, 60, coarse.shape), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / f"{number}.png")
    return folder


def judged(network, folder, photos):
    bundle = read_bundle(folder)
    return judge_network(Deployable(network, bundle.contract), bundle, folder, samples=photos)


def test_the_effect_of_each_filter_is_that_on_pytorchs_own_masks(tiny, large_photos):
    network, folder = tiny
    way = judged(network, folder, large_photos).photo_way
    assert way.photos == ("0.png", "1.png")[:PHOTOS]
    eager = Eager(Deployable(network, read_bundle(folder).contract))
    contract = read_bundle(folder).contract
    size = contract.width, contract.height
    for effect in way.filters:
        same = []
        for name in way.photos:
            picture = read_picture(large_photos / name)
            moved = Image.fromarray(picture).resize(size, FILTERS[effect.filter])
            same.append(
                eager.run(np.asarray(moved)).mask == eager.run(stretch(picture, *size)).mask
            )
        assert effect.agreement == pytest.approx(np.mean(same))
        assert effect.agreement < 1  # else the photos show nothing


def test_every_file_follows_pytorch_on_the_phones_pixels(tiny, large_photos, tmp_path):
    report = judged(*tiny, large_photos)
    assert report.passed, report.sentence
    way = report.photo_way
    assert {each.path for each in way.files} == {result.path for result in report.results}
    alone = next(each for each in way.filters if each.filter == way.phone)
    for each in way.files:
        assert each.decisive_flips == 0
        assert each.agreement == pytest.approx(alone.agreement, abs=0.01)
    (tmp_path / "parity.json").write_text(to_json(report), encoding="utf-8")
    assert read_results(tmp_path).photo_way == way


def test_swapped_channels_show_on_the_way_from_photo_to_mask(tiny, large_photos):
    network, folder = tiny
    swapped = copy.deepcopy(network)
    first = next(m for m in swapped.modules() if isinstance(m, torch.nn.Conv2d))
    with torch.no_grad():
        first.weight.copy_(first.weight.flip(1))
    report = judged(swapped, folder, large_photos)
    assert not report.passed
    for result in report.results:
        assert any(reason.startswith("from photo to mask") for reason in result.reasons)
    assert min(each.decisive_flips for each in report.photo_way.files) > 0


def test_pictures_of_the_models_size_need_no_filter(tiny, tmp_path):
    contract = read_bundle(tiny[1]).contract
    pixels = np.random.default_rng(0).integers(0, 256, (contract.height, contract.width, 3))
    Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "exact.png")
    assert judged(*tiny, tmp_path / "exact.png").photo_way is None


def test_stored_outputs_of_pytorch_know_nothing_of_other_filters(tiny, large_photos, tmp_path):
    checkpoint = tiny[1].parent.parent / "tiny.pt"
    stored = tmp_path / "reference.npz"
    judge(tiny[1], checkpoint=checkpoint, samples=large_photos, write_reference=stored)
    report = judge(tiny[1], reference=stored, samples=large_photos)
    assert report.passed
    assert report.photo_way is None
