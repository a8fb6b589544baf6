"""Puts every fault into a bundle and writes what caught it: `make faults`, docs/faults.md."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "faults.md"
INTRODUCTION = """# What the gate catches

Made by `make faults`; do not edit. Each row breaks one file of a healthy bundle, and the gate has
to fail. The network is a small smp Unet at 64 × 64, untrained, with calibrated batch norms; the
pictures are two of the samples. The weak channel is one of three independent ones of another such
network, with 1/200 of its weights. Every fault changes the file, so `bundle.json`'s SHA-256 gives
it away before anything runs. Then the hash is made to fit, as if the export itself had been broken,
and the numbers have to tell: that is what the last column shows.

float16 files hide small faults in their own rounding: an image scale of 1/256 for 1/255 leaves
this network at 65 dB, and its float16 limit is 61 dB. The float32 files of the same export show it,
and so does the float16 file of a trained network, which loses less by rounding.

| fault | format | caught by |
| --- | --- | --- |
"""
KINDS = {
    r"has weights of another checkpoint": "weights that are not the checkpoint's",
    r" says .* for its | says nothing of its | has no metadata": "statements against bundle.json",
    r"says of itself cannot be read": "statements that cannot be read",
    r" operations? in float32 ": "operations in float32",
    r"^its largest error": "largest error",
    r"^its PSNR": "PSNR",
    r"^[\d,]+ pixels? ha(s|ve) a label": "decisive flips",
    r"^[\d,]+ pixels? ha(s|ve) a mask": "mask against its own logits",
    r"^its mask of .* is not proven": "masks that do not agree",
    r"^its logits are off by a number": "what all classes share",
    r"^from photo to mask": "photo to mask",
    r"does not load": "it does not load",
    r"does not run": "it does not run",
    r"NaN or infinite": "logits that are not finite",
}


def main() -> None:
    """Run the suite with a place for its findings, and write the page from them."""
    with tempfile.TemporaryDirectory() as folder:
        findings = Path(folder) / "faults.jsonl"
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "tests/faults", "-k", "catches"],
            cwd=ROOT,
            check=True,
            env={**os.environ, "FAULTS_TABLE": str(findings)},
        )
        rows = [json.loads(line) for line in findings.read_text(encoding="utf-8").splitlines()]
    lines = [
        f"| {what} | {format} | {_caught(reasons)} |" for what, format, reasons in sorted(rows)
    ]
    PAGE.write_text(INTRODUCTION + "\n".join(lines) + "\n", encoding="utf-8")


def _caught(reasons: list[str]) -> str:
    return ", ".join(dict.fromkeys(map(_kind, reasons)))


def _kind(reason: str) -> str:
    for pattern, kind in KINDS.items():
        if re.search(pattern, reason):
            return kind
    return "outputs that are not the bundle's: " + re.sub(r"^on \S+, ", "", reason)


if __name__ == "__main__":
    main()
