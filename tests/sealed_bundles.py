"""Bundles whose hashes fit what was done to their files."""

import shutil
from dataclasses import replace
from pathlib import Path

from export.bundle import describe_files, read_bundle, write_bundle


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
