"""What lies where in an `.mlpackage`: the manifest, the model and its weights, all inside it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import InputError

_MANIFEST = "Manifest.json"
_DATA = "Data"


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model's specification file and the folder that `@model_path` means in it.

    `root` is the folder that nothing may lead out of.
    """

    specification: Path
    model_folder: Path
    root: Path


def locate(path: Path) -> ModelFiles:
    """Find the specification of an `.mlpackage` folder or an `.mlmodel` file.

    Raises:
        InputError: if the path is neither, or the manifest is damaged or leads outside.
    """
    if path.is_file():
        return ModelFiles(path, path.parent, path.parent)
    if not path.is_dir():
        raise InputError("There is no such model.")
    root = path / _DATA
    specification = contained(root, root / _root_model(path / _MANIFEST), "its model")
    if not specification.is_file():
        raise InputError(f"Its model file {specification.name} is missing.")
    return ModelFiles(specification, specification.parent, root)


def contained(root: Path, path: Path, what: str) -> Path:
    """Return `path` resolved, links included.

    Raises:
        InputError: if it lies outside `root`.
    """
    try:
        resolved = path.resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"The path of {what} cannot be used: {error}.") from None
    if not resolved.is_relative_to(root.resolve()):
        raise InputError(f"The path of {what} leads outside the package.")
    return resolved


def _root_model(manifest: Path) -> str:
    """Return the path, relative to Data, of the manifest's root model."""
    content = _read_json(manifest)
    root = content.get("rootModelIdentifier")
    entries = content.get("itemInfoEntries")
    entry = entries.get(root) if isinstance(entries, dict) and isinstance(root, str) else None
    path = entry.get("path") if isinstance(entry, dict) else None
    if not isinstance(path, str):
        raise InputError(f"Its {_MANIFEST} names no root model.")
    return path


def _read_json(manifest: Path) -> dict[str, Any]:
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"It has no {_MANIFEST}, so it is no Core ML package.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"Its {_MANIFEST} cannot be read: {error}.") from None
    if not isinstance(content, dict):
        raise InputError(f"Its {_MANIFEST} is not a JSON object.")
    return content
