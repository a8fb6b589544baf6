"""Golden vectors: inputs and results that the Swift package and the Python side must share.

    PYTHONPATH=tests/ios python -m damagekit.vectors

writes them anew into DamageKit's tests; the result is the same every time.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from damagekit import vectors_masks, vectors_pictures, vectors_records

FOLDER = Path(__file__).resolve().parents[3] / "ios_demo/DamageKit/Tests/DamageKitTests/Golden"
GROUPS: Mapping[str, Callable[[], object]] = {
    "placement": vectors_pictures.placements,
    "orientation": vectors_pictures.orientations,
    "resize": vectors_pictures.resizes,
    "half": vectors_pictures.halves,
    "strided": vectors_masks.strided,
    "decision": vectors_masks.decisions,
    "restore": vectors_masks.restored,
    "runs": vectors_masks.run_lengths,
    "areas": vectors_masks.covered,
    "overlay": vectors_masks.overlays,
    "metadata": vectors_records.contracts,
    "latency": vectors_records.latencies,
    "fingerprint": vectors_records.fingerprints,
    "parity": vectors_records.parity,
    "report": vectors_records.report,
}


def rendered(name: str) -> str:
    """The text of `<name>.json`."""
    return json.dumps(GROUPS[name](), ensure_ascii=False, separators=(",", ":")) + "\n"


def write_vectors(folder: Path = FOLDER) -> list[Path]:
    """Write every group into `folder`, and return the paths."""
    paths = []
    for name in GROUPS:
        path = folder / f"{name}.json"
        path.write_text(rendered(name), encoding="utf-8")
        paths.append(path)
    return paths


if __name__ == "__main__":
    write_vectors()
