"""A compressed file is judged beside the network with its weights, and by its masks."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from coremltools.models import MLModel
from coremltools.optimize.coreml import decompress_weights
from sealed_bundles import edited
from test_main_job import call, export
from torch import Tensor

from export.bundle import read_bundle
from export.bundle_consistency import SMALL
from validate.metadata.content import read_content
from validate.report.json_file import read_results
from validate.results.parity import ArtifactResult

FORMS = ("int8", "palette8", "palette6", "palette4")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with a compressed file of 4 bits, whose masks promise nothing."""
    return exported(tmp_path_factory.mktemp("small"), "palette4", "iOS16")


def exported(folder: Path, form: str, target: str) -> Path:
    import torch
    from small_networks import calibrated_unet

    path = folder / "breakage.pt"
    torch.save(calibrated_unet().state_dict(), path)
    options = ("--compress", form, "--min-iou", "0", "--target", target)
    assert export(path, *options, formats="mlprogram") == 0
    return folder / "build" / "breakage"


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle, tmp_path / bundle.name))


def small_of(folder: Path) -> ArtifactResult:
    results = read_results(folder / "parity.json").results
    return next(each for each in results if each.path.endswith(".small.mlpackage"))


def checkpoint_of(bundle: Path) -> Path:
    return bundle.parent.parent / "breakage.pt"


@pytest.mark.parametrize("target", ["iOS16", "iOS18"])
@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_half_the_size_at_most_and_proved(
    tmp_path: Path, form: str, target: str
) -> None:
    folder = exported(tmp_path, form, target)
    described = {each.key: each for each in read_bundle(folder).artifacts}
    assert described[SMALL].compression.form == form
    assert described[SMALL].size < 0.56 * described["mlprogram"].size
    small = small_of(folder)
    assert small.status == "passed"
    assert small.quality.form == form and small.quality.proven
    assert small.total.psnr > 60
