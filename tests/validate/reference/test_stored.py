"""A stored reference judges as PyTorch itself does, and refuses what it was not written for."""

import io
import json
import shutil
import warnings
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from sealed_bundles import sealed

from export.bundle import read_bundle
from models.deployable import Deployable
from models.errors import InputError
from validate.images.samples import find_samples
from validate.parity.run import judge
from validate.runtimes.eager import Eager


@pytest.fixture(scope="module")
def written(tiny, photos, tmp_path_factory):
    """The reference of the tiny bundle on the three photos, and the report of that run."""
    path = tmp_path_factory.mktemp("reference") / "tiny.npz"
    report = judge(
        tiny[1],
        checkpoint=tiny[1].parent.parent / "tiny.pt",
        write_reference=path,
        samples=photos,
    )
    return path, report


@pytest.fixture
def alone(tiny, tmp_path):
    """A copy of the bundle whose checkpoint is nowhere to be found."""
    shutil.copytree(tiny[1], tmp_path / "elsewhere" / "bundle")
    return tmp_path / "elsewhere" / "bundle"


def test_a_stored_reference_finds_what_pytorch_finds_without_the_checkpoint(
    written, alone, photos, monkeypatch
):
    path, before = written
    monkeypatch.setattr("validate.parity.run.load_reference", None)  # the network is not built
    report = judge(alone, reference=path, samples=photos)
    assert report.passed, report.sentence
    assert report.noise == before.noise
    assert report.noise is not None
    for then, now in zip(before.results, report.results, strict=True):
        assert now.tolerance == then.tolerance
        assert now.total.ranges == then.total.ranges
        assert now.total.max_error == pytest.approx(then.total.max_error, rel=0.5, abs=1e-6)
    assert report.milliseconds is None
    assert all(result.ratio is None for result in report.results)
    assert report.facts["Reference"].startswith("tiny.npz: PyTorch's outputs of 20")


def test_numpy_reads_it_and_it_holds_pytorchs_outputs_to_the_bit(written, tiny, photos):
    bundle = read_bundle(tiny[1])
    with np.load(written[0], allow_pickle=False) as arrays:
        for index, sample in enumerate(find_samples(photos, bundle.contract)):
            outputs = Eager(Deployable(tiny[0], bundle.contract)).run(sample.image)
            np.testing.assert_array_equal(arrays[f"{index:06}.logits"], outputs.logits)
            np.testing.assert_array_equal(arrays[f"{index:06}.mask"], outputs.mask)


def test_writing_leaves_nothing_beside_it(written):
    assert [path.name for path in written[0].parent.iterdir()] == ["tiny.npz"]


def test_a_file_of_another_network_fails_against_it(written, alone, photos, make_network):
    """Nothing in the bundle tells that the file is another network's: only the reference does."""
    bundle = read_bundle(alone)
    artifact = next(each for each in bundle.artifacts if each.format == "torchscript")
    other = Deployable(make_network(seed=3), bundle.contract)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # about branches on shapes
        traced = torch.jit.trace(other, torch.rand(1, 3, 64, 64), check_trace=False)
    torch.jit.save(torch.jit.freeze(traced.eval()), alone / artifact.path)
    sealed(alone, "torchscript")
    assert judge(alone, reference=written[0], samples=photos).verdict == "failed"


def test_the_reference_of_another_checkpoint_is_refused(written, export_bundle, photos):
    _, other = export_bundle(("torchscript",), 3)
    with pytest.raises(InputError, match=r"tiny\.npz does not belong to tiny: .* another check"):
        judge(other, reference=written[0], samples=photos)


def test_other_photos_are_refused(written, alone, photos, tmp_path):
    mine = tmp_path / "photos"
    shutil.copytree(photos, mine)
    (mine / "b_noise.png").rename(mine / "d_noise.png")
    with pytest.raises(InputError, match=r"was written for b_noise.png, which photos does not"):
        judge(alone, reference=written[0], samples=mine)
    shutil.copy(mine / "d_noise.png", mine / "b_noise.png")
    with pytest.raises(InputError, match=r"has no outputs for d_noise.png of photos"):
        judge(alone, reference=written[0], samples=mine)
    (mine / "d_noise.png").unlink()
    with Image.open(mine / "b_noise.png") as picture:
        changed = np.array(picture)
    changed[:, 40:] ^= 1
    Image.fromarray(changed).save(mine / "b_noise.png")
    with pytest.raises(InputError, match=r"b_noise.png has other pixels than when .*Pillow \d"):
        judge(alone, reference=written[0], samples=mine)


@pytest.mark.parametrize("kept", [0, 10, 0.3, 0.9, 0.999])
def test_a_cut_off_file_is_refused(written, alone, photos, tmp_path, kept):
    data = written[0].read_bytes()
    size = kept if isinstance(kept, int) else int(len(data) * kept)
    (tmp_path / "cut.npz").write_bytes(data[:size])
    with pytest.raises(InputError, match=r"cut\.npz is cut off or no stored reference"):
        judge(alone, reference=tmp_path / "cut.npz", samples=photos)


def test_a_flipped_bit_in_the_logits_is_noticed(written, alone, photos, tmp_path):
    data = bytearray(written[0].read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "bad.npz").write_bytes(data)
    with pytest.raises(InputError, match=r"bad\.npz is damaged .* cannot be read in it"):
        judge(alone, reference=tmp_path / "bad.npz", samples=photos)


def _rewritten(source, target, change):
    """Copy a reference entry by entry; `change` maps a name and its bytes to other bytes."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            data = change(entry.filename, old.read(entry))
            if data is not None:
                new.writestr(entry.filename, data)
    return target


def _npy(array, **options):
    np.save(file := io.BytesIO(), array, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    "fault",
    [
        ("000001.logits.npy", None, "cannot be read in it"),
        ("000001.logits.npy", b"no array", "is not an array"),
        ("000001.logits.npy", _npy(np.array([{}]), allow_pickle=True), "is not an array"),
        ("000001.logits.npy", _npy(np.zeros((2, 64, 63), np.float32)), "other shapes"),
        ("000001.logits.npy", _npy(np.zeros((2, 640, 640), np.float32)), "larger than it can be"),
        ("000001.logits.npy", _npy(np.full((2, 64, 64), np.nan, np.float32)), "not finite"),
        ("000001.mask.npy", _npy(np.zeros((64, 64), np.int32)), "not finite logits and a mask"),
        ("reference.json", None, "cannot be read in it"),
        ("reference.json", b"{", "is not JSON"),
        ("reference.json", b"{}", "does not hold a stored reference of this version"),
    ],
)
def test_a_malformed_file_is_refused_in_a_sentence(written, alone, photos, tmp_path, fault):
    name, data, reason = fault
    path = _rewritten(
        written[0], tmp_path / "odd.npz", lambda entry, old: data if entry == name else old
    )
    with pytest.raises(InputError, match=reason):
        judge(alone, reference=path, samples=photos)


def test_another_version_is_refused(written, alone, photos, tmp_path):
    def later(name, data):
        return json.dumps(json.loads(data) | {"schema": 3}) if name == "reference.json" else data

    path = _rewritten(written[0], tmp_path / "later.npz", later)
    with pytest.raises(InputError, match="stored reference of this version"):
        judge(alone, reference=path, samples=photos)


def test_an_unwritable_place_is_refused(tiny, photos, tmp_path):
    checkpoint = tiny[1].parent.parent / "tiny.pt"
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"notes\.txt exists and is no stored reference"):
        judge(tiny[1], checkpoint=checkpoint, write_reference=tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "mine"
    with pytest.raises(InputError, match=r"gone/x\.npz cannot be written: No such file"):
        judge(tiny[1], checkpoint=checkpoint, write_reference=tmp_path / "gone" / "x.npz")
    with pytest.raises(InputError, match=r"nowhere\.npz cannot be read: No such file"):
        judge(tiny[1], reference=tmp_path / "nowhere.npz", samples=photos)


def test_two_references_contradict_each_other(tiny, written, photos):
    with pytest.raises(InputError, match="contradict each other"):
        judge(tiny[1], checkpoint=written[0], reference=written[0], samples=photos)
    with pytest.raises(InputError, match="contradict each other"):
        judge(tiny[1], write_reference=written[0], reference=written[0], samples=photos)


def test_an_interruption_leaves_no_reference(tiny, photos, tmp_path, monkeypatch):
    def interrupt(self, image):
        raise KeyboardInterrupt

    monkeypatch.setattr("validate.runtimes.torchscript.TorchScript.run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        judge(
            tiny[1],
            checkpoint=tiny[1].parent.parent / "tiny.pt",
            write_reference=tmp_path / "tiny.npz",
            samples=photos,
        )
    assert list(tmp_path.iterdir()) == []
