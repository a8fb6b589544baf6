"""A file that was not judged is no pass, unless the user says that it may."""

import shutil
from dataclasses import replace

import pytest
from coremltools.models.utils import load_spec, save_spec
from coremltools.proto import Model_pb2

from export.bundle import read_bundle
from models.deployable import Deployable
from models.errors import InputError
from validate.parity.run import judge, judge_network
from validate.report.json_file import read_results
from validate.report.write import write_results
from validate.runtimes import choice, coreml_reference

pytestmark = pytest.mark.skipif(
    choice.platform.system() == "Darwin", reason="Core ML itself exists here"
)


def judged(tiny, photos, folder=None, **options):
    folder = folder or tiny[1]
    checkpoint = tiny[1].parent.parent / "tiny.pt"
    return judge(folder, checkpoint=checkpoint, samples=photos, **options)


@pytest.fixture
def without_reference(monkeypatch):
    """No Core ML file is within the scope of the reference runtime."""

    def refuse(path):
        raise coreml_reference.OutOfScope("it needs what this runtime does not execute")

    monkeypatch.setattr(coreml_reference.coreml, "load", refuse)


def test_a_file_out_of_scope_is_named_first_and_is_no_pass(tiny, photos, without_reference):
    report = judged(tiny, photos)
    assert report.verdict == "not all judged"
    assert not report.passed
    assert report.unjudged == ("tiny.mlpackage", "tiny.mlmodel")
    assert report.sentence.startswith(
        "Not proven: tiny.mlpackage, tiny.mlmodel could not be judged "
        "(Core ML reference: it needs what this runtime does not execute); 2 other files compute "
    )


def test_what_the_user_allows_is_recorded(tiny, photos, without_reference, tmp_path):
    report = judged(tiny, photos, allow_unjudged=("mlprogram", "neuralnetwork"))
    assert report.passed
    assert report.sentence.endswith("Not judged, as allowed: tiny.mlmodel, tiny.mlpackage.")
    write_results(report, tmp_path)
    assert read_results(tmp_path).allow_unjudged == ("mlprogram", "neuralnetwork")
    assert judged(tiny, photos, allow_unjudged=("mlprogram",)).unjudged == ("tiny.mlmodel",)


def test_a_runtime_that_is_not_here_leaves_its_files_unjudged(tiny, photos):
    report = judged(tiny, photos, coreml="native")
    assert report.verdict == "not all judged"
    assert "could not be judged (Core ML: Core ML itself runs on macOS only)" in report.sentence


def test_only_formats_can_be_allowed(tiny, photos):
    with pytest.raises(InputError, match="no format 'coreml'"):
        judged(tiny, photos, allow_unjudged=("coreml",))


@pytest.mark.parametrize("format_", ["mlprogram", "neuralnetwork"])
def test_what_core_ml_does_not_have_is_no_pass(tiny, photos, tmp_path, format_):
    folder = tmp_path / "bundle"
    shutil.copytree(tiny[1], folder)
    bundle = read_bundle(folder)
    artifact = next(each for each in bundle.artifacts if each.format == format_)
    alone = replace(bundle, artifacts=(artifact,))
    if format_ == "neuralnetwork":
        specification = load_spec(str(folder / artifact.path))
        specification.neuralNetwork.layers[3].custom.className = "Somebodys"
        save_spec(specification, str(folder / artifact.path))
    else:
        edit_coreml(folder / artifact.path, misspelled)
    network = Deployable(tiny[0], bundle.contract)
    report = judge_network(network, alone, folder, samples=photos)
    assert not report.passed
    assert ("Somebodys" if format_ == "neuralnetwork" else "reluu") in report.results[0].reasons[0]


def edit_coreml(package, change):
    (path,) = package.rglob("model.mlmodel")
    specification = Model_pb2.Model.FromString(path.read_bytes())
    change(specification)
    path.write_bytes(specification.SerializeToString())


def misspelled(specification):
    (block,) = specification.mlProgram.functions["main"].block_specializations.values()
    next(each for each in block.operations if each.type == "relu").type = "reluu"
