"""Saved packages are read as coremltools itself reads them, and damaged ones are refused."""

import json
import os
import shutil
import struct

import numpy as np
import pytest
from coremltools.converters.mil.frontend.milproto import load as milproto
from fuzz_packages import MANIFEST, MODEL, WEIGHTS
from fuzz_seeds import save_seeds

from models.errors import InputError
from validate import coreml
from validate.coreml.dtypes import unpack
from validate.coreml.reader.package import locate
from validate.coreml.reader.program_reader import ProgramReader
from validate.coreml.reader.specification import Model_pb2


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    return {path.stem: path for path in save_seeds(tmp_path_factory.mktemp("seeds"))}


@pytest.fixture
def package(seeds, tmp_path):
    """A package with an FP16 weight file, free to be damaged."""
    path = tmp_path / "copy.mlpackage"
    shutil.copytree(seeds["convolutional"], path)
    return path


@pytest.mark.parametrize("name", ["convolutional", "transformer", "control_flow", "compressed"])
def test_constants_are_those_that_milproto_reads(seeds, name):
    files = locate(seeds[name])
    message = Model_pb2.Model.FromString(files.specification.read_bytes())
    function = ProgramReader(files).function(message.mlProgram, "main")
    read = milproto.load(message, message.specificationVersion, str(files.model_folder / "weights"))
    expected = {
        op.outputs[0].name: op.val.val for op in read.functions["main"].find_ops(op_type="const")
    }
    constants = {
        op.outputs[0].name: op.inputs["val"][0].data
        for op in function.block.operations
        if op.type == "const"
    }
    assert len(constants) > 5
    for key, data in constants.items():
        if data.dtype != object:
            np.testing.assert_array_equal(data, expected[key])
            assert data.dtype == np.asarray(expected[key]).dtype


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 6])
def test_packed_elements_come_back(bits):
    values = np.random.default_rng(bits).integers(0, 2**bits, 37).astype(np.uint8)
    single = np.unpackbits(values[:, None], axis=1, bitorder="little")[:, :bits]
    packed = np.packbits(single.reshape(-1), bitorder="little")
    np.testing.assert_array_equal(unpack(packed, bits, 37), values)
    signed = np.where(values >= 2 ** (bits - 1), values.astype(int) - 2**bits, values)
    np.testing.assert_array_equal(unpack(packed, bits, 37, signed=True), signed)


def damage(package, name, change):
    file = package / name
    content = bytearray(file.read_bytes())
    file.write_bytes(bytes(change(content) or content))


def set_u64(at, value):
    def change(content):
        content[at : at + 8] = struct.pack("<Q", value)

    return change


DAMAGES = {
    "model cut off": (MODEL, lambda c: c[: len(c) // 2], "no Core ML model, or it is damaged"),
    "model empty": (MODEL, lambda c: b"\n", "damaged"),
    "weights cut off": (WEIGHTS, lambda c: c[:300], "out of bounds|is cut off"),
    "weights empty": (WEIGHTS, lambda c: b"\0", "is cut off"),
    "weights of another version": (WEIGHTS, set_u64(4, 1), "version 1 instead of 2"),
    "blob without its mark": (WEIGHTS, set_u64(64, 0), "begin with a blob's mark"),
    "blob of another type": (WEIGHTS, set_u64(64, 0xDEADBEEF | 7 << 32), "not stored as fp32"),
    "blob of another size": (WEIGHTS, set_u64(72, 2**62), "4611686018427387904 bytes|is cut off"),
    "blob data out of bounds": (WEIGHTS, set_u64(80, 2**40), "is cut off"),
    "manifest is no JSON": (MANIFEST, lambda c: b"{", "Manifest.json cannot be read"),
    "manifest is a list": (MANIFEST, lambda c: b"[]", "not a JSON object"),
    "manifest is nested deeply": (MANIFEST, lambda c: b"[" * 10**5, "cannot be read"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_packages_are_refused_in_one_sentence(package, name):
    file, change, message = DAMAGES[name]
    damage(package, file, change)
    with pytest.raises(InputError, match=message) as refusal:
        coreml.load(package)
    assert str(refusal.value).startswith(f"{package}: ")
    assert "\n" not in str(refusal.value)


def test_missing_files_are_named(package):
    (package / WEIGHTS).unlink()
    with pytest.raises(InputError, match=r"no file where its weight file .* 'weight\.bin'"):
        coreml.load(package)
    shutil.rmtree(package / "Data")
    with pytest.raises(InputError, match="no file where its model file"):
        coreml.load(package)
    (package / MANIFEST).unlink()
    with pytest.raises(InputError, match="no Core ML package"):
        coreml.load(package)
    with pytest.raises(InputError, match="no file where the model should be"):
        coreml.load(package / "absent.mlmodel")


@pytest.mark.parametrize("target", ["../../outside", "/etc/hostname", "../Manifest.json"])
def test_manifest_may_not_lead_outside(package, target):
    manifest = json.loads((package / MANIFEST).read_text())
    manifest["itemInfoEntries"][manifest["rootModelIdentifier"]]["path"] = target
    (package / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="leads outside the package"):
        coreml.load(package)


def test_weights_may_not_be_a_link_to_outside(package, tmp_path):
    outside = tmp_path / "weight.bin"
    (package / WEIGHTS).rename(outside)
    (package / WEIGHTS).symlink_to(outside)
    with pytest.raises(InputError, match="leads outside the package"):
        coreml.load(package)


def edit_block(change):
    def edit(model):
        change(model.mlProgram.functions["main"].block_specializations["CoreML5"])

    return edit


def first(block, kind):
    return next(op for op in block.operations if op.type == kind)


def rename_input(block):
    first(block, "relu").inputs["x"].arguments[0].name = block.operations[-1].outputs[0].name


def contradict(block):
    type_ = first(block, "conv").outputs[0].type.tensorType
    type_.dimensions[1].constant.size = 9


def contradict_constant(block):
    first(block, "const").outputs[0].type.tensorType.dataType = 12


def unknown_type(block):
    first(block, "relu").outputs[0].type.tensorType.dataType = 40


def same_name(block):
    first(block, "relu").outputs[0].name = first(block, "conv").outputs[0].name


def unknown_parameter(block):
    inputs = first(block, "relu").inputs
    inputs["alpha"].CopyFrom(inputs["x"])


def no_input(block):
    del first(block, "relu").inputs["x"]


def blob_path(block):
    for op in block.operations:
        value = op.attributes["val"].blobFileValue if "val" in op.attributes else None
        if value is not None and value.fileName:
            value.fileName = "@model_path/../../../../etc/hostname"


CONTRADICTIONS = {
    "a cycle": (rename_input, "which no operation before it defines"),
    "a shape against its declaration": (
        contradict,
        r"gives .* the shape \[1, 8, 16, 16\] but decl",
    ),
    "a constant against its declaration": (contradict_constant, "declares fp64"),
    "an unknown type": (unknown_type, "data type number 40"),
    "two values of one name": (same_name, "Two of its values have the name"),
    "an unknown parameter": (unknown_parameter, "unknown parameter 'alpha'"),
    "a missing parameter": (no_input, "lacks its parameter 'x'"),
    "a weight outside": (blob_path, "leads outside the package"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_contradictions_are_refused(package, edit_model, name):
    change, message = CONTRADICTIONS[name]
    edit_model(package, edit_block(change))
    with pytest.raises(InputError, match=message):
        coreml.load(package).predict({"x": np.zeros((1, 3, 16, 16), np.float32)})


def test_an_unknown_opset_is_refused(package, edit_model):
    def edit(model):
        model.mlProgram.functions["main"].opset = "CoreML99"

    edit_model(package, edit)
    with pytest.raises(InputError, match="unknown opset 'CoreML99'"):
        coreml.load(package)


def test_a_model_may_be_named_by_a_link(package, tmp_path):
    link = tmp_path / "link.mlpackage"
    link.symlink_to(package)
    coreml.load(link)
    pipe = tmp_path / "pipe.mlmodel"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="no file where the model should be"):
        coreml.load(pipe)
    with pytest.raises(InputError, match="cannot be opened"):
        coreml.load("x" * 5000)
