"""A few hundred of coremltools' own cases, spread over all its test files, on the runtime."""

import json
import os
import subprocess
import sys
from pathlib import Path

COUNT = 300


def test_a_spread_of_coremltools_own_cases_passes(tmp_path):
    command = [sys.executable, "-m", "conformance"]
    command += ["--subset", str(COUNT), "--out", str(tmp_path / "out")]
    here = Path(__file__).parent
    path = os.pathsep.join(map(str, (here, here.parents[1])))
    result = subprocess.run(
        command,
        cwd=here.parents[1],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (tmp_path / "out" / "conformance.json").exists(), result.stdout + result.stderr
    report = json.loads((tmp_path / "out" / "conformance.json").read_text())
    assert report["failures"] == {}
    assert result.returncode == 0
    counted = [file["passed"] for file in report["files"].values()]
    assert len(counted) > 40  # files
    assert sum(counted) > 0.8 * COUNT
