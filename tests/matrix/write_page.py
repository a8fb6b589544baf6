"""Exports every case of the matrix and writes how each format did: `make matrix`."""

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from test_healthy import ENCODERS, PAGE  # noqa: E402

INTRODUCTION = """# Healthy bundles pass

Made by `make matrix`; do not edit. A gate that catches faults is worth nothing if it fails what is
healthy. {bundles} bundles, {files} files: smp Unets with {encoders} encoders, for {classes} classes
and inputs of {sizes} pixels, untrained with calibrated batch norms, exported in four formats
and judged by `make export` on the rendered samples with the reference runtime. {verdict}

Each cell says how many passed, and how much of its tolerance the worst of them used up (the larger
of its largest error against the limit, and of its noise against the PSNR limit). The tolerance of a
float16 file follows the network's own rounding noise, so a high share there is no surprise.

| encoder | TorchScript | mlprogram, float16 | NeuralNetwork | ONNX |
| --- | --- | --- | --- | --- |
"""
FORMATS = ("torchscript", "mlprogram", "neuralnetwork", "onnx")
Cells = dict[str, dict[str, list[tuple[str, float]]]]


def main() -> None:
    """Run the suite with a place for its findings, and write the page from them."""
    with tempfile.TemporaryDirectory() as folder:
        findings = Path(folder) / "matrix.jsonl"
        environment = {**os.environ, "MATRIX_TABLE": str(findings)}
        for encoder in ENCODERS:  # torch keeps what it traced until its process ends
            command = [sys.executable, "-m", "pytest", "-q", "tests/matrix", "-k", encoder]
            subprocess.run(command, cwd=ROOT, check=False, env=environment)
        found = [json.loads(line) for line in findings.read_text(encoding="utf-8").splitlines()]
    PAGE.write_text(_page(found), encoding="utf-8")


def _page(found: list[tuple[tuple[str, int, list[int]], list[tuple[str, str, float]]]]) -> str:
    cells: Cells = defaultdict(lambda: defaultdict(list))
    for (encoder, _, _), results in found:
        for format, status, share in results:
            cells[encoder][format].append((status, share))
    failed = sum(status != "passed" for _, results in found for _, status, _ in results)
    introduction = INTRODUCTION.format(
        bundles=len(found),
        files=4 * len(found),
        encoders=len(cells),
        classes=_listed({case[1] for case, _ in found}),
        sizes=_listed({(*case[2],) for case, _ in found}),
        verdict="None fails." if not failed else f"**{failed} fail.**",
    )
    rows = [
        f"| {encoder} | {' | '.join(_cell(formats[f]) for f in FORMATS)} |"
        for encoder, formats in cells.items()
    ]
    return introduction + "\n".join(rows) + "\n"


def _cell(results: list[tuple[str, float]]) -> str:
    passed = sum(status == "passed" for status, _ in results)
    return f"{passed} of {len(results)}, {max(share for _, share in results):.0%}"


def _listed(values: set[int] | set[tuple[int, ...]]) -> str:
    words = ["×".join(map(str, v)) if isinstance(v, tuple) else str(v) for v in sorted(values)]
    return ", ".join(words[:-1]) + " and " + words[-1]


if __name__ == "__main__":
    main()
