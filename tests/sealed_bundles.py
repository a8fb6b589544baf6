"""Edit bundles: with hashes that fit what was done to files, or with another bundle.json."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

from export.bundle import MANIFEST, describe_files, read_bundle, write_bundle


def sealed(folder: Path, *formats: str) -> None:
    """Leave only the files of `formats` in the bundle, with the hashes of what is there now.

    So a fault looks like one that was exported, and no hash gives it away.
    """
    bundle = read_bundle(folder)
    for artifact in bundle.artifacts:
        path = folder / artifact.path
        if artifact.format in formats:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    artifacts = tuple(
        replace(each, files=describe_files(folder, each.path))
        for each in bundle.artifacts
        if each.format in formats
    )
    write_bundle(replace(bundle, artifacts=artifacts), folder)


def edited(folder: Path, *keys: str | int, value: object) -> None:
    """Set the entry of bundle.json that `keys` lead to."""
    document = json.loads((folder / MANIFEST).read_text())
    place = document
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    (folder / MANIFEST).write_text(json.dumps(document))
