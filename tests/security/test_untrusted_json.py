"""JSON and TOML of others are refused in one sentence, however they are nested, long or odd."""

import json
import os

import pytest
from fuzz_bundles import described
from made_reports import made_report

from export.bundle import MANIFEST, read_bundle, write_bundle
from models.checkpoints.containers.safetensors_files import smp_config
from models.common import json_reader
from models.common.json_codec import revive
from models.common.json_reader import parse_json
from models.custom.option import parse_arguments
from models.errors import InputError
from validate.coreml.reader.package import locate
from validate.ios.report import read_device_report
from validate.metrics.tolerances_file import read_tolerances
from validate.predict.resume import DonePhoto
from validate.report.json_file import read_results, to_json

ODD = {
    "lists inside each other": ("[" * 100_000, "nested more than 64 deep"),
    "objects inside each other": ('{"a":' * 100_000, "nested more than 64 deep"),
    "closed properly": ("[" * 5000 + "]" * 5000, "nested more than 64 deep"),
    "many values": ("[" + "0," * 2_100_000 + "0]", "more than 2,000,000 values"),
    "a key twice": ('{"a": 1, "a": 2}', "the key 'a' twice"),
    "NaN": ('{"a": NaN}', "NaN, which JSON has not"),
    "Infinity": ('{"a": -Infinity}', "-Infinity, which JSON has not"),
    "a number beyond float64": ('{"a": 1e999}', "a number that is too large, 1e999"),
    "a number of many digits": ('{"a": ' + "9" * 5000 + "}", "a number of 5,000 digits"),
    "an open string": ('{"a": "' + '\\"' * 500_000, "Unterminated string"),
    "nothing": ("", "Expecting value"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_json_is_refused_in_a_few_words(name):
    text, told = ODD[name]
    with pytest.raises(ValueError, match=told):
        parse_json(text)
    with pytest.raises(ValueError, match=told):
        parse_json(text.encode())


def test_healthy_json_is_read_as_it_is():
    document = {"a": [1, -2.5, True, None, '[[["{\\', {"": 10**30}], "b": "é\u202e\x1b"}
    assert parse_json(json.dumps(document)) == document
    assert parse_json(json.dumps(document, ensure_ascii=False).encode()) == document
    assert parse_json("[Infinity]", finite=False) == [float("inf")]
    with pytest.raises(ValueError, match="utf-8"):
        parse_json(b'{"a": "\xff"}')


def test_what_is_too_large_is_not_read(monkeypatch):
    monkeypatch.setattr(json_reader, "MOST_BYTES", 10)
    with pytest.raises(ValueError, match="larger than 10 bytes"):
        parse_json('{"a": "0123456789"}')


def bundle(path):
    return read_bundle(path.parent)


def manifest(path):
    return locate(path.parent)


def arguments(path):
    return parse_arguments(path.read_text())


READERS = {
    MANIFEST: bundle,
    "Manifest.json": manifest,
    "parity.json": read_results,
    "device.json": read_device_report,
    "arguments.json": arguments,
}


@pytest.mark.parametrize("name", ["lists inside each other", "a key twice", "NaN"])
@pytest.mark.parametrize("file", READERS)
def test_every_reader_refuses_it(tmp_path, file, name):
    (tmp_path / file).write_text(ODD[name][0])
    with pytest.raises(InputError, match=ODD[name][1]) as refused:
        READERS[file](tmp_path / file)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 1000


@pytest.mark.parametrize("text", ["a = " + "[" * 9000, "a." * 8000 + "b = 1", "#" * 20_000])
def test_tolerances_are_refused_too(tmp_path, text):
    path = tmp_path / "tolerances.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"tolerances\.toml (is nested|cannot be read|does not)"):
        read_tolerances(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(InputError, match="no ordinary file"):
        read_tolerances(path)


def test_a_config_beside_weights_is_passed_over(tmp_path):
    (tmp_path / "config.json").write_text('{"_model_class": ' + "[" * 100_000)
    assert smp_config(tmp_path / "model.safetensors") == {}


def test_a_description_of_a_million_mistakes_is_refused_soon(tmp_path):
    document = json.loads(to_json(made_report(1, 2, 32)))
    document["labels"] = [0] * 300_000
    (tmp_path / "parity.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="0 is not of type 'string'"):
        read_results(tmp_path)


def test_what_a_schema_lets_pass_is_still_refused(tmp_path):
    document = json.loads(to_json(made_report(1, 2, 32)))
    document["results"][0]["size"] = 1.0
    (tmp_path / "parity.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"parity\.json (does not hold|cannot be used)"):
        read_results(tmp_path)


@pytest.mark.parametrize("status", ["failed", "not run"])
def test_a_verdict_without_its_reason_is_refused(tmp_path, status):
    document = json.loads(to_json(made_report(1, 2, 32)))
    document["results"][0] |= {"status": status, "reasons": []}
    (tmp_path / "parity.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"at results/0/reasons"):
        read_results(tmp_path)


@pytest.mark.parametrize(
    "value", [None, 3, [], {}, {"size": "1", "changed": 2, "photo": {}}, {"size": True}]
)
def test_a_state_of_other_types_is_no_state(value):
    with pytest.raises(ValueError, match=r"it is no DonePhoto|the fields of DonePhoto"):
        revive(DonePhoto, value)


def test_a_healthy_bundle_is_read(tmp_path):
    folder = tmp_path / "net"
    made = described(folder)
    write_bundle(made, folder)
    assert read_bundle(folder) == made
