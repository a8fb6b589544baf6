"""The workflow that docs/ci.md offers: well-formed, with commands that exist, and it works."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from models.errors import InputError
from segport.commands.validate import command as validate_command
from validate.parity.run import judge
from validate.report.json_file import read_results

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / "docs" / "workflows" / "parity.yml"
EXPRESSION = re.compile(r"\$\{\{ (\w+)\.(\w+) \}\}")


@pytest.fixture(scope="module")
def workflow():
    return yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def job(workflow):
    return workflow["jobs"]["parity"]


def step_of(job, name):
    return next(step for step in job["steps"] if step.get("name") == name)


def test_it_runs_on_linux_and_natively_on_macos(workflow, job):
    assert workflow[True].keys() == {"push", "pull_request", "workflow_dispatch"}  # YAML's `on`
    assert workflow["permissions"] == {"contents": "read"}
    found = {each["os"]: each["coreml"] for each in job["strategy"]["matrix"]["include"]}
    assert found == {"ubuntu-latest": "reference", "macos-15": "both"}
    for step in job["steps"]:
        assert ("uses" in step) != ("run" in step)


def test_its_actions_are_those_of_our_own_ci(job):
    ours = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    known = {step.get("uses") for each in ours["jobs"].values() for step in each["steps"]}
    assert {step["uses"] for step in job["steps"] if "uses" in step} <= known


def test_every_name_in_it_is_defined(workflow, job):
    text = WORKFLOW.read_text(encoding="utf-8")
    known = {"env": workflow["env"].keys(), "matrix": job["strategy"]["matrix"]["include"][0]}
    for context, name in EXPRESSION.findall(text):
        assert name in known[context]
    variables = set(re.findall(r"\$(\w+)", step_of(job, "Judge the bundle")["run"]))
    assert variables <= {"PWD", "COREML", *workflow["env"]}


def judging(job, folder, arguments, **environment):
    """Run the step that judges, in `folder`, with a `segport` that is given `arguments`."""
    command = folder / "bin" / "segport"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {arguments} "$@"\n')
    command.chmod(0o755)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    environment["PATH"] = f"{command.parent}{os.pathsep}{environment['PATH']}"
    step = step_of(job, "Judge the bundle")["run"]
    return subprocess.run(
        ["bash", "-ec", step],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("index", [0, 1])
def test_its_command_has_options_that_exist(workflow, job, index, tmp_path):
    """What it runs is taken by the command line's own parser."""
    coreml = job["strategy"]["matrix"]["include"][index]["coreml"]
    names = workflow["env"]
    show = "-c 'import json, sys; print(json.dumps(sys.argv[1:]))'"
    told = judging(job, tmp_path, show, **names, COREML=coreml)
    first, *words = json.loads(told.stdout)
    assert first == "validate"
    parsed = validate_command.make_context("validate", words).params
    assert parsed["bundle"] == Path(names["BUNDLE"])
    assert parsed["reference"] == Path(names["REFERENCE"])
    assert parsed["samples"] == Path(names["PHOTOS"])
    assert parsed["coreml"] == coreml


def test_its_command_judges_a_bundle_without_a_checkpoint(workflow, job, tiny, photos, tmp_path):
    names = workflow["env"]
    bundle = tmp_path / names["BUNDLE"]
    shutil.copytree(tiny[1], bundle)
    shutil.copytree(photos, tmp_path / names["PHOTOS"])
    reference = tmp_path / names["REFERENCE"]
    checkpoint = tiny[1].parent.parent / "tiny.pt"
    judge(bundle, checkpoint=checkpoint, samples=photos, write_reference=reference)
    summary = tmp_path / "summary.md"
    environment = {**names, "COREML": "reference", "GITHUB_STEP_SUMMARY": str(summary)}
    told = judging(job, tmp_path, "-m segport", **environment)
    assert told.returncode == 0, told.stderr
    assert read_results(tmp_path / "results").passed
    assert not (bundle / "parity.json").exists()
    assert "Parity holds: all 4 files" in summary.read_text(encoding="utf-8")


def test_it_installs_the_versions_that_were_tested_together(job):
    script = step_of(job, "Install Segport")["run"].splitlines()
    first, *rest = [line.split() for line in script if not line.startswith("#")]
    assert first[:3] == ["pip", "install", "--quiet"] and first[3].startswith("uv==")
    assert [" ".join(line).removeprefix("uv pip install --system --quiet ") for line in rest] == [
        "--torch-backend cpu -r .segport/requirements.txt",
        "--no-deps ./.segport",
    ]


def test_nothing_in_it_changes_by_itself(workflow, job):
    for step in job["steps"]:
        assert "uses" not in step or re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"])
    assert workflow["env"]["SEGPORT_REF"] == "COMMIT"


@pytest.mark.parametrize(
    "what", ["a file", "bundle.json", "the checkpoint", "the reference", "a photo"]
)
def test_what_git_lfs_did_not_fetch_is_named(what, tiny, photos, tmp_path):
    bundle, pictures, reference = (tmp_path / name for name in ("tiny", "photos", "stored.npz"))
    shutil.copytree(tiny[1], bundle)
    shutil.copytree(photos, pictures)
    checkpoint = tmp_path / "tiny.pt"
    shutil.copy(tiny[1].parent.parent / "tiny.pt", checkpoint)
    judge(bundle, checkpoint=checkpoint, samples=pictures, write_reference=reference)
    places = {
        "a file": bundle / "tiny.onnx",
        "bundle.json": bundle / "bundle.json",
        "the checkpoint": checkpoint,
        "the reference": reference,
        "a photo": pictures / "b_noise.png",
    }
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 97912345\n"
    places[what].write_text(pointer, encoding="ascii")
    if what == "a photo":
        told = judge(bundle, checkpoint=checkpoint, samples=pictures).samples.skipped
        assert "run `git lfs pull`" in str(told)
        return
    with pytest.raises(
        InputError, match=rf"{places[what].name} is a Git LFS pointer.*git lfs pull"
    ):
        if what == "the checkpoint":
            judge(bundle, checkpoint=checkpoint, samples=pictures)
        judge(bundle, reference=reference, samples=pictures)


def test_what_is_uploaded_is_what_is_written(job):
    words = shlex.split(step_of(job, "Judge the bundle")["run"])
    upload = job["steps"][-1]
    assert upload["if"] == "always()"
    assert upload["with"]["path"] == words[words.index("--out") + 1]
