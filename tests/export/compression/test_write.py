"""What a compressed package holds, for each form and target, by an independent reader."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from coremltools.models import MLModel
from coremltools.optimize.coreml import decompress_weights
from small_networks import calibrated_unet

from export.compression.forms import FORMS
from export.compression.write import write_compressed
from export.metadata import Description
from export.to_coreml import write_mlprogram
from export.tracing import trace, trace_single_image
from models.deployable import Deployable
from models.errors import InputError
from models.labels import Labels
from models.specification import InputContract, Specification
from validate.metadata.content import read_content

# coremltools leaves its temporary folders to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

CONTRACT = InputContract(64, 64)
NETWORK = partial(calibrated_unet, encoder_depth=3, decoder_channels=(24, 16, 8))
SMALLEST = {"int8": 0.6, "palette8": 0.6, "palette6": 0.5, "palette4": 0.4}
"""The most that a file may be of the plain one: small weights keep 8 or 16 bits."""
OPERATIONS = {
    ("int8", "iOS16"): "constexpr_affine_dequantize",
    ("int8", "iOS18"): "constexpr_blockwise_shift_scale",
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the plain package for a target."""
    folder = tmp_path_factory.mktemp("plain")

    def package(target: str) -> Path:
        path = folder / f"{target}.mlpackage"
        if not path.exists():
            converted(path, target)
        return path

    return package


def converted(path: Path, target: str) -> None:
    specification = Specification("smp", "Unet", 3, 2, 32, {})
    labels = Labels(("background", "damage"), ("0x00000000", "0x80000099"), "given")
    description = Description(specification, CONTRACT, labels, "net.pt", "0" * 64)
    single = trace_single_image(trace(Deployable(NETWORK(), CONTRACT), CONTRACT), CONTRACT)
    write_mlprogram(single, path, target, description, {"segport.labels": "x"})


def size_of(package: Path) -> int:
    return sum(path.stat().st_size for path in package.rglob("*") if path.is_file())


@pytest.mark.parametrize("target", ["iOS16", "iOS18"])
@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_small_and_read_back_alike(
    plain: Callable[[str], Path], tmp_path: Path, form: str, target: str
) -> None:
    path = tmp_path / "small.mlpackage"
    write_compressed(plain(target), path, FORMS[form], target, {"segport.compression": form})
    assert size_of(path) < SMALLEST[form] * size_of(plain(target))
    content = read_content(path, "mlprogram")
    assert content.statements["target"] == target
    assert content.statements["segport.compression"] == form
    assert content.statements["segport.labels"] == "x"
    model = MLModel(str(path), skip_model_load=True)
    block = next(iter(model.get_spec().mlProgram.functions["main"].block_specializations.values()))
    used = {each.type for each in block.operations if each.type.startswith("constexpr_")}
    assert used == {OPERATIONS.get((form, target), "constexpr_lut_to_dense")}
    dense = tmp_path / "dense.mlpackage"
    decompress_weights(model).save(str(dense))
    expected = read_content(dense, "mlprogram").weights
    assert content.compressed
    for name, weight in content.compressed.items():
        assert (weight.values == expected[name]).all()
    assert all((expected[name] == each).all() for name, each in content.weights.items())


def test_small_weights_keep_their_numbers(plain: Callable[[str], Path], tmp_path: Path) -> None:
    path = tmp_path / "small.mlpackage"
    write_compressed(plain("iOS16"), path, FORMS["palette4"], "iOS16", {})
    content, whole = read_content(path, "mlprogram"), read_content(plain("iOS16"), "mlprogram")
    assert min(each.indices.size for each in content.compressed.values()) >= 20_000
    for name, weight in content.weights.items():
        assert (weight == whole.weights[name]).all()
    entries = {len(each.tables[0]) for each in content.compressed.values()}
    assert entries == {16, 256}


def test_each_number_is_the_nearest_that_its_form_offers(
    plain: Callable[[str], Path], tmp_path: Path
) -> None:
    whole = read_content(plain("iOS16"), "mlprogram").weights
    for form in FORMS:
        path = tmp_path / f"{form}.mlpackage"
        write_compressed(plain("iOS16"), path, FORMS[form], "iOS16", {})
        for name, weight in read_content(path, "mlprogram").compressed.items():
            places = np.arange(0, weight.indices.size, 97)
            wanted = whole[name].reshape(-1)[places].astype(float)
            kept = weight.values.reshape(-1)[places].astype(float)
            least = np.abs(weight.offered(places) - wanted[:, None]).min(axis=1)
            assert (np.abs(kept - wanted) <= least + 1e-3 * np.abs(wanted)).all()


def test_a_network_of_small_weights_alone_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plain: Callable[[str], Path]
) -> None:
    monkeypatch.setattr("export.compression.forms.KEPT_BELOW", 1 << 40)
    path = tmp_path / "small.mlpackage"
    with pytest.raises(InputError, match="COMPRESS=int8 finds nothing to compress"):
        write_compressed(plain("iOS16"), path, FORMS["int8"], "iOS16", {})
    assert not path.exists()
