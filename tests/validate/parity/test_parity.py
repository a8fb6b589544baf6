"""Healthy bundles pass, broken ones fail for the right reason."""

import copy
import re
import shutil
import warnings
from dataclasses import replace

import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import nn

import validate.images.batches
from export.bundle import read_bundle, write_bundle
from models.deployable import Deployable
from models.errors import InputError
from validate.parity.run import judge, judge_network
from validate.runtimes import Outputs, choice


@pytest.fixture
def own_copy(tiny, tmp_path):
    """The tiny network, and a copy of its bundle that a test may break."""
    network, folder = tiny
    shutil.copytree(folder, tmp_path / "bundle")
    shutil.copy(folder.parent.parent / "tiny.pt", tmp_path / "tiny.pt")
    return network, tmp_path / "bundle"


def judged(network, folder, photos, only=None, **options):
    """Judge without hashes, as the export does; `only` one format."""
    bundle = read_bundle(folder)
    if only is not None:
        artifacts = tuple(each for each in bundle.artifacts if each.format == only)
        bundle = replace(bundle, artifacts=artifacts)
    deployable = Deployable(network, bundle.contract)
    return judge_network(deployable, bundle, folder, samples=photos, **options)


def path_of(folder, format_):
    return next(folder / a.path for a in read_bundle(folder).artifacts if a.format == format_)


def test_a_healthy_bundle_passes_in_every_format(tiny, photos):
    seen = []
    report = judge(
        tiny[1],
        checkpoint=tiny[1].parent.parent / "tiny.pt",
        samples=photos,
        progress=lambda runtime, done, planned: seen.append((runtime, done, planned)),
    )
    assert report.passed, report.sentence
    assert {result.format for result in report.results} == {
        "torchscript",
        "mlprogram",
        "neuralnetwork",
        "onnx",
    }
    assert report.samples.used == 3
    assert [done for _, done, _ in seen] == list(range(1, 16))
    assert seen[-1][2] == 15
    assert report.sentence == (
        "Parity holds: all 4 files compute what PyTorch computes on 3 pictures and 3 probes."
    )
    for result in report.results:
        assert len(result.pictures) == 3
        assert result.worst in result.pictures
        assert result.milliseconds > 0


@pytest.mark.parametrize("classes", [1, 4])
def test_other_numbers_of_classes_pass(export_bundle, photos, classes):
    network, folder = export_bundle(("torchscript", "mlprogram"), classes)
    report = judged(network, folder, photos)
    assert report.passed, report.sentence
    assert len(report.results[0].total.classes) == max(2, classes)


def test_many_batches_find_what_one_batch_finds(tiny, photos, monkeypatch):
    whole = judged(*tiny, photos)
    monkeypatch.setattr(validate.images.batches, "BATCH_BYTES", 1)
    parts = judged(*tiny, photos)
    for one, other in zip(whole.results, parts.results, strict=True):
        assert [each.name for each in one.pictures] == [each.name for each in other.pictures]
        assert one.total.max_error == pytest.approx(other.total.max_error, rel=0.5)
        assert one.total.pixels == other.total.pixels
    assert {picture.name for picture in parts.shown} == {picture.name for picture in whole.shown}


def test_a_changed_file_is_refused_before_anything_runs(own_copy, photos):
    _, folder = own_copy
    path = path_of(folder, "onnx")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="not the file that was exported"):
        judge(folder, samples=photos)


def test_the_checkpoint_must_be_the_one_that_was_exported(own_copy, photos, make_network):
    _, folder = own_copy
    other = folder.parent / "other.pt"
    torch.save(make_network(seed=5).state_dict(), other)
    with pytest.raises(InputError, match="not the checkpoint that tiny was exported from"):
        judge(folder, checkpoint=other, samples=photos)
    with pytest.raises(InputError, match="say where it lies with --checkpoint"):
        judge(folder, checkpoint=folder / "gone.pt", samples=photos)


def test_a_checkpoint_that_builds_another_network_is_refused(own_copy, photos):
    _, folder = own_copy
    bundle = read_bundle(folder)
    arguments = {**bundle.specification.arguments, "decoder_channels": (64, 16, 8)}
    changed = replace(bundle.specification, arguments=arguments)
    write_bundle(replace(bundle, specification=changed), folder)
    with pytest.raises(InputError, match="is now recognised as smp Unet"):
        judge(folder, checkpoint=folder.parent / "tiny.pt", samples=photos)


def test_a_network_without_finite_logits_is_no_reference(tiny, photos):
    network = copy.deepcopy(tiny[0])
    network.segmentation_head[0].bias.fill_(float("nan"))
    with pytest.raises(InputError, match="PyTorch itself gives NaN"):
        judged(network, tiny[1], photos)


# -- Faults: each changes the network that the files claim to hold --------------------------


def negate(network):
    network.encoder.layer1[0].conv1.weight.neg_()


def transpose_kernel(network):
    weight = network.encoder.layer1[0].conv1.weight
    weight.copy_(weight.transpose(2, 3).clone())


def zero(network):
    network.decoder.blocks[1].conv1[0].weight.zero_()


def swap_classes(network):
    head = network.segmentation_head[0]
    head.weight.copy_(head.weight.flip(0).clone())
    head.bias.copy_(head.bias.flip(0).clone())


def shift_bias(network):
    network.encoder.layer2[0].bn2.bias.add_(0.5)


def swap_channels(network):
    first = network.encoder.conv1
    first.weight.copy_(first.weight.flip(1).clone())


def drop_scale(network):
    network.encoder.conv1.weight.mul_(255)


FAULTS = [
    negate,
    transpose_kernel,
    zero,
    swap_classes,
    shift_bias,
    swap_channels,
    drop_scale,
]


@pytest.mark.parametrize("format_", ["torchscript", "mlprogram", "neuralnetwork", "onnx"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_files_of_another_network_fail(tiny, photos, fault, format_):
    """The files stay, and the network that they are held against is the one that changes."""
    network = copy.deepcopy(tiny[0])
    fault(network)
    report = judged(network, tiny[1], photos, only=format_)
    assert report.verdict == "failed"
    assert report.results[0].reasons


def test_one_negated_tensor_in_an_onnx_file_fails_it_alone(own_copy, photos):
    network, folder = own_copy
    path = path_of(folder, "onnx")
    model = onnx.load(path)
    tensor = next(t for t in model.graph.initializer if len(t.dims) == 4)
    tensor.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(tensor), tensor.name))
    onnx.save(model, path)
    report = judged(network, folder, photos)
    assert [result.format for result in report.results if result.status == "failed"] == ["onnx"]
    assert report.sentence.startswith("Parity failed: tiny.onnx does not compute")


# -- Malformed files and outputs ------------------------------------------------------------


class Wrapped(nn.Module):
    def __init__(self, deployable, change):
        super().__init__()
        self.deployable = deployable
        self.change = change

    def forward(self, image):
        return self.change(*self.deployable(image))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda logits, mask: logits, r"pair of tensors"),
        (lambda logits, mask: (logits, mask.long()), r"mask is int64, not int32"),
        (lambda logits, mask: (logits.half(), mask), r"logits is float16, not float32"),
        (lambda logits, mask: (logits[:, :, :-1], mask), r"has the shape \(1, 2, 63, 64\)"),
        (lambda logits, mask: (logits, mask + 1), r"mask holds 2, which is none of the 2 classes"),
        (lambda logits, mask: (logits / 0, mask), r"100\.0 % of its logits .* NaN or infinite"),
        (lambda logits, mask: (logits, 1 - mask), r"contradicts the file's own logits"),
        (lambda logits, mask: (logits.flip(3), mask.flip(2)), r"largest error"),
        (lambda logits, mask: (logits.softmax(1), mask), r"largest error"),
    ],
)
def test_malformed_outputs_are_a_verdict(own_copy, photos, change, reason):
    network, folder = own_copy
    module = Wrapped(Deployable(network, read_bundle(folder).contract), change)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # about branches on shapes
        traced = torch.jit.trace(module, torch.rand(1, 3, 64, 64), check_trace=False)
    torch.jit.save(torch.jit.freeze(traced.eval()), path_of(folder, "torchscript"))
    result = judged(network, folder, photos, only="torchscript").results[0]
    assert result.status == "failed"
    assert re.search(reason, "; ".join(result.reasons))


@pytest.mark.parametrize("format_", ["torchscript", "onnx", "neuralnetwork"])
def test_a_file_that_does_not_load_is_a_verdict(own_copy, photos, format_):
    network, folder = own_copy
    path_of(folder, format_).write_bytes(b"not a model at all")
    result = judged(network, folder, photos, only=format_).results[0]
    assert result.status == "failed"
    assert result.reasons[0].startswith("it does not load: ")
    assert "\n" not in result.reasons[0]


# -- Which runtimes run ---------------------------------------------------------------------


@pytest.mark.skipif(choice.platform.system() == "Darwin", reason="Core ML itself exists here")
def test_core_ml_itself_is_not_run_off_a_mac(tiny, photos):
    report = judged(*tiny, photos, coreml="both")
    runtimes = [(r.format, r.runtime, r.status) for r in report.results if r.format == "mlprogram"]
    assert runtimes == [
        ("mlprogram", "Core ML", "not run"),
        ("mlprogram", "Core ML reference", "passed"),
    ]
    assert report.passed
    native = judged(*tiny, photos, only="mlprogram", coreml="native")
    assert native.verdict == "nothing judged"
    assert not native.passed
    assert native.sentence.startswith("Nothing was judged")


def test_a_mac_takes_core_ml_itself(tiny, monkeypatch):
    monkeypatch.setattr(choice.platform, "system", lambda: "Darwin")
    artifact = next(a for a in read_bundle(tiny[1]).artifacts if a.format == "mlprogram")
    assert [each.runtime for each in choice.runtimes_for(artifact, None)] == ["Core ML"]
    with pytest.raises(InputError, match="no Core ML runtime 'gpu'"):
        choice.runtimes_for(artifact, "gpu")


def test_an_interrupted_run_passes_the_interruption_on(tiny, photos, monkeypatch):
    def interrupt(self, image) -> Outputs:
        raise KeyboardInterrupt

    monkeypatch.setattr("validate.runtimes.torchscript.TorchScript.run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        judged(*tiny, photos)
