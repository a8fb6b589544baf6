"""A file keeps its promises: batches of any size, no memory of earlier calls, any picture."""

import shutil
import warnings
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from metadata_edits import replace_torchscript
from onnx import helper, numpy_helper
from torch import nn

from export.bundle import read_bundle
from export.metadata import FIXED_BATCH
from models.deployable import Deployable, decide
from models.specification import InputContract
from validate.parity.probes import probe_pictures
from validate.parity.run import judge, judge_network

FORMATS = ("torchscript", "onnx")


@pytest.fixture
def broken(tiny, photos, tmp_path):
    """Return a function that breaks the file of one format, and judges it: its result."""
    network, original = tiny
    folder = tmp_path / "bundle"
    shutil.copytree(original, folder)
    bundle = read_bundle(folder)

    def judged(format_, change, notes=()):
        artifact = next(each for each in bundle.artifacts if each.format == format_)
        change(folder / artifact.path)
        alone = replace(bundle, artifacts=(replace(artifact, notes=notes),))
        deployable = Deployable(network, bundle.contract)
        return judge_network(deployable, alone, folder, samples=photos).results[0]

    return judged


@pytest.fixture
def module(tiny):
    """The deployable network."""
    return Deployable(tiny[0], read_bundle(tiny[1]).contract)


def saved(make, module):
    """A change that puts the scripted `make(module)` into the place of a TorchScript file."""

    def change(path):
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            traced = torch.jit.trace(module, torch.rand(2, 3, 64, 64), check_trace=False)
            replace_torchscript(path, torch.jit.script(make(traced)))

    return change


def edited(edit):
    """A change that edits the graph of an ONNX file."""

    def change(path):
        model = onnx.load(path)
        edit(model.graph)
        onnx.save(model, path)

    return change


def renamed_output(graph, name):
    """Give the value behind output `name` another name, and return it."""
    inner = f"{name}_inner"
    for node in graph.node:
        for names in (node.input, node.output):
            for index, each in enumerate(names):
                if each == name:
                    names[index] = inner
    return inner


# -- Batches ----------------------------------------------------------------------------------


class FirstOfBatch(nn.Module):
    """Gives every picture of a batch the first one's logits."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, image):
        logits, mask = self.inner(image)
        count = image.shape[0]
        return logits[:1].repeat(count, 1, 1, 1), mask[:1].repeat(count, 1, 1)


def first_of_batch(graph):
    for name in ("logits", "mask"):
        inner = renamed_output(graph, name)
        start, shape = f"{name}_start", f"{name}_shape"
        zero = numpy_helper.from_array(np.zeros((1,), np.int64), start)
        graph.initializer.append(zero)
        graph.node.extend(
            [
                helper.make_node("Gather", [inner, start], [f"{name}_first"], axis=0),
                helper.make_node("Shape", [inner], [shape]),
                helper.make_node("Expand", [f"{name}_first", shape], [name]),
            ]
        )


def fixed_batch(graph):
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1


def test_every_picture_of_a_batch_is_compared(broken, module):
    for format_, change in (
        ("torchscript", saved(FirstOfBatch, module)),
        ("onnx", edited(first_of_batch)),
    ):
        result = broken(format_, change)
        assert result.status == "failed", format_
        assert result.reasons[0].startswith("in a batch of 2 pictures, on c_black.png, ")
        assert len(result.pictures) == 3


def test_a_fixed_batch_breaks_the_promise_and_not_where_a_note_says_so(broken):
    result = broken("onnx", edited(fixed_batch))
    assert result.status == "failed"
    assert "does not run on a batch of 2 pictures" in result.reasons[0]
    assert broken("onnx", edited(fixed_batch), (f"tiny.onnx {FIXED_BATCH}.",)).status == "passed"


def test_a_single_sample_is_judged_in_a_batch_too(tiny, photos, broken, module):
    report = judge_network(module, read_bundle(tiny[1]), tiny[1], samples=[photos / "b_noise.png"])
    assert report.passed, report.sentence


class MixesBatch(nn.Module):
    """A network whose results depend on what else is in the batch."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, image):
        return self.inner(image - 0.5 * image.mean())


def test_a_network_that_mixes_its_batch_is_no_fault_of_the_file(tiny, photos, tmp_path):
    network = MixesBatch(tiny[0])
    folder = tmp_path / "bundle"
    shutil.copytree(tiny[1], folder)
    bundle = read_bundle(folder)
    artifact = next(each for each in bundle.artifacts if each.format == "torchscript")
    deployable = Deployable(network, bundle.contract)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(deployable, torch.rand(2, 3, 64, 64), check_trace=False)
    replace_torchscript(folder / artifact.path, traced)
    alone = replace(bundle, artifacts=(artifact,))
    report = judge_network(deployable, alone, folder, samples=photos)
    assert report.passed, report.sentence


# -- State ------------------------------------------------------------------------------------


class InvertsLater(nn.Module):
    """Negates its logits from the 41st call on."""

    count: int

    def __init__(self, inner):
        super().__init__()
        self.inner = inner
        self.count = 0

    def forward(self, image):
        self.count += 1
        logits, mask = self.inner(image)
        if self.count > 40:
            logits, mask = -logits, 1 - mask
        return logits, mask


class Drifts(nn.Module):
    """Adds a little more to one class at every call."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner
        self.register_buffer("drift", torch.zeros(1, 2, 1, 1))
        self.register_buffer("step", torch.tensor([0.0, 1e-4]).reshape(1, 2, 1, 1))

    def forward(self, image):
        self.drift.add_(self.step)
        logits, mask = self.inner(image)
        return logits + self.drift, mask


def test_state_is_found_however_late_it_shows(broken, module):
    result = broken("torchscript", saved(InvertsLater, module))
    assert "it changes its attribute 'count' when it is called" in result.reasons[0]
    drifting = broken("torchscript", saved(Drifts, module)).reasons
    assert "it changes its tensor 'drift' when it is called" in "; ".join(drifting)
    assert "others when that is run again at the end" in "; ".join(drifting)


def test_random_numbers_are_found_however_small(broken, module):
    def noisy(graph):
        inner = renamed_output(graph, "logits")
        graph.node.extend(
            [
                helper.make_node("RandomNormalLike", [inner], ["noise"], scale=1e-12),
                helper.make_node("Add", [inner, "noise"], ["logits"]),
            ]
        )

    result = broken("onnx", edited(noisy))
    assert "it draws random numbers (RandomNormalLike)" in "; ".join(result.reasons)


def test_a_runtime_that_remembers_fails(tiny, photos, monkeypatch):
    """Whatever a file's format, another result at the end is seen."""
    from validate.runtimes.coreml_reference import CoreMLReference

    run = CoreMLReference.run

    def drifting(self, image):
        self.calls = getattr(self, "calls", 0) + 1
        outputs = run(self, image)
        return replace(outputs, logits=outputs.logits * np.float32(1 + 1e-5 * self.calls))

    monkeypatch.setattr(CoreMLReference, "run", drifting)
    bundle = read_bundle(tiny[1])
    report = judge_network(Deployable(tiny[0], bundle.contract), bundle, tiny[1], samples=photos)
    failed = {each.format: each.reasons for each in report.results if each.status == "failed"}
    assert failed.keys() == {"mlprogram", "neuralnetwork"}
    assert all("its logits of a_smooth.png are others" in each[-1] for each in failed.values())


# -- Pictures unlike the samples ----------------------------------------------------------------


class Unlike(nn.Module):
    """Computes something else where `condition` holds of a picture."""

    def __init__(self, inner, condition, other):
        super().__init__()
        self.inner = inner
        self.condition = condition
        self.other = other

    def forward(self, image):
        logits, _ = self.inner(image)
        where = self.condition(image).reshape(-1, 1, 1, 1)
        logits = torch.where(where, self.other(logits), logits)
        return logits, decide(logits)


def dark(image):
    return image.mean((1, 2, 3)) < 0.02


def bright(image):
    return image.mean((1, 2, 3)) > 0.95


def flat(image):
    return image.flatten(1).std(1) == 0


@pytest.mark.parametrize(
    ("condition", "other", "reason"),
    [
        (dark, torch.neg, "on a black picture, its largest error"),
        (bright, torch.neg, "on a white picture, its largest error"),
        (flat, lambda x: x / 0, "of its logits on a black picture are NaN or infinite"),
    ],
)
def test_a_file_that_is_wrong_on_a_probe_fails_by_its_name(
    tiny, photos, tmp_path, condition, other, reason
):
    inner = Deployable(tiny[0], read_bundle(tiny[1]).contract)
    result = unlike(tiny, photos, tmp_path, Unlike(inner, condition, other))
    assert result.status == "failed"
    assert any(reason in each for each in result.reasons), result.reasons
    assert [each.name for each in result.pictures] == ["a_smooth.png", "b_noise.png"]


class Clipped(nn.Module):
    """Clips the difference of neighbouring pixels, which no photo of the samples reaches."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, image):
        smooth = nn.functional.avg_pool2d(image, 3, 1, 1)
        return self.inner(smooth + (image - smooth).clamp(-0.6, 0.6))


def test_what_is_clipped_beyond_the_samples_shows(tiny, module, photos, tmp_path):
    result = unlike(tiny, photos, tmp_path, Clipped(module), only=("a_smooth.png",))
    assert result.reasons[-1].startswith("on greys, saturated colours and noise, its largest")
    assert result.worst.metrics.relative_error < result.tolerance.max_error


def unlike(tiny, photos, tmp_path, module, only=("a_smooth.png", "b_noise.png")):
    folder = tmp_path / "bundle"
    shutil.copytree(tiny[1], folder)
    bundle = read_bundle(folder)
    artifact = next(each for each in bundle.artifacts if each.format == "torchscript")
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(module, torch.rand(2, 3, 64, 64), check_trace=False)
    replace_torchscript(folder / artifact.path, traced)
    alone = replace(bundle, artifacts=(artifact,))
    healthy = Deployable(tiny[0], bundle.contract)
    samples = [photos / name for name in only]
    return judge_network(healthy, alone, folder, samples=samples).results[0]


def test_a_network_without_logits_for_a_probe_is_not_judged_on_it(tiny, photos, tmp_path):
    module = Unlike(Deployable(tiny[0], read_bundle(tiny[1]).contract), flat, lambda x: x / 0)

    class Alone(nn.Module):
        def forward(self, image):
            return module(image)[0]

    folder = tmp_path / "bundle"
    shutil.copytree(tiny[1], folder)
    bundle = read_bundle(folder)
    alone = replace(bundle, artifacts=bundle.artifacts[:1])
    samples = [photos / name for name in ("a_smooth.png", "b_noise.png")]
    report = judge_network(Deployable(Alone(), bundle.contract), alone, folder, samples=samples)
    assert report.probes == ("greys, saturated colours and noise",)
    assert report.passed, report.sentence


@pytest.mark.parametrize("channels", [1, 3, 4, 6])
def test_probes_are_the_same_for_everyone_and_in_range(channels):
    contract = InputContract(70, 50, channels=channels)
    probes = probe_pictures(contract)
    assert [each.name for each in probes] == [each.name for each in probe_pictures(contract)]
    for one, other in zip(probes, probe_pictures(contract), strict=True):
        assert one.image.shape == (50, 70, channels)
        assert one.image.dtype == np.uint8
        np.testing.assert_array_equal(one.image, other.image)
    mixed = probes[2].image
    assert len(np.unique(mixed[:25, :35])) >= 6  # grey levels
    assert set(np.unique(mixed[:25, 35:])) == {0, 255}
    assert set(np.unique(mixed[25:, :35])) == {0, 255}
    assert len(np.unique(mixed[25:, 35:])) > 100


def test_a_stored_reference_knows_the_probes(tiny, photos, tmp_path):
    stored = tmp_path / "reference.npz"
    checkpoint = tiny[1].parent.parent / "tiny.pt"
    before = judge(tiny[1], checkpoint=checkpoint, samples=photos, write_reference=stored)
    report = judge(tiny[1], reference=stored, samples=photos)
    assert report.probes == before.probes
    assert len(report.probes) == 3
    assert report.passed, report.sentence
    assert report.sentence.endswith("on 3 pictures and 3 probes.")
