"""The workflow that docs/ci.md offers: well-formed, with commands that exist, and it works."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from validate.__main__ import judge as judge_command
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


@pytest.mark.parametrize("index", [0, 1])
def test_its_command_has_options_that_exist(workflow, job, index):
    """What make would run is taken by the command line's own parser."""
    step = step_of(job, "Judge the bundle")
    coreml = job["strategy"]["matrix"]["include"][index]["coreml"]
    told = subprocess.run(
        [
            "bash",
            "-ec",
            step["run"].replace("-C .segport", f"-n -o .venv/.ready -C {shlex.quote(str(ROOT))}"),
        ],
        env={**os.environ, **workflow["env"], "COREML": coreml},
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    words = shlex.split(told.stdout.replace("\\\n", "").strip().splitlines()[-1])
    assert words[:3] == [".venv/bin/python", "-m", "validate"]
    parsed = judge_command.make_context("validate", words[3:]).params
    assert parsed["bundle"] == ROOT / workflow["env"]["BUNDLE"]
    assert parsed["reference"] == ROOT / workflow["env"]["REFERENCE"]
    assert parsed["samples"] == ROOT / workflow["env"]["PHOTOS"]
    assert parsed["coreml"] == coreml


@pytest.mark.skipif(
    not (ROOT / ".venv" / ".ready").exists(), reason="make would set up the environment first"
)
def test_its_command_judges_a_bundle_without_a_checkpoint(workflow, job, tiny, photos, tmp_path):
    names = workflow["env"]
    bundle = tmp_path / names["BUNDLE"]
    shutil.copytree(tiny[1], bundle)
    shutil.copytree(photos, tmp_path / names["PHOTOS"])
    reference = tmp_path / names["REFERENCE"]
    checkpoint = tiny[1].parent.parent / "tiny.pt"
    judge(bundle, checkpoint=checkpoint, samples=photos, write_reference=reference)
    (tmp_path / ".segport").symlink_to(ROOT)
    summary = tmp_path / "summary.md"
    environment = {**os.environ, **names, "COREML": "reference"}
    environment["GITHUB_STEP_SUMMARY"] = str(summary)
    # -o: a test must never set the environment up again, whatever make thinks of its age.
    command = step_of(job, "Judge the bundle")["run"].replace("-C", "-o .venv/.ready -C")
    told = subprocess.run(
        ["bash", "-ec", command],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert read_results(bundle).passed
    assert "Parity holds: all 4 files" in summary.read_text(encoding="utf-8")


def test_what_is_uploaded_is_what_is_written(workflow, job):
    from export.result_files import RESULTS

    paths = job["steps"][-1]["with"]["path"].splitlines()
    assert job["steps"][-1]["if"] == "always()"
    names = {path.removeprefix("${{ env.BUNDLE }}/") for path in paths}
    assert names == {name for name in RESULTS if not name.startswith(".")}
