"""Find the files of an `.mlpackage`: the manifest, the model and its weights, all inside it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.common.json_reader import read_json
from models.errors import InputError

_MANIFEST = "Manifest.json"
_DATA = "Data"


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Hold a model's specification file and the folder that `@model_path` means in it.

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
    try:
        is_folder = path.is_dir()
    except OSError as error:
        raise InputError(f"It cannot be opened: {error.strerror}.") from None
    if not is_folder:
        file = contained_file(None, path, "the model")
        return ModelFiles(file, file.parent, file.parent)
    root = path / _DATA
    name = _root_model(path / _MANIFEST)
    specification = contained_file(root, root / name, "its model file")
    return ModelFiles(specification, specification.parent, root)


def contained_file(root: Path | None, path: Path, what: str) -> Path:
    """Return the path of an ordinary file, links resolved.

    Raises:
        InputError: if it is missing, lies outside `root`, or is a folder, a pipe, a device.
    """
    try:
        resolved = path.resolve()
        is_inside = root is None or resolved.is_relative_to(root.resolve())
        is_file = is_inside and resolved.is_file()
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "it is no path"
        raise InputError(f"The path of {what} cannot be used: {reason}.") from None
    if not is_inside:
        raise InputError(f"The path of {what} leads outside the package.")
    if not is_file:
        raise InputError(f"There is no file where {what} should be: {path.name!r}.")
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
    if not manifest.is_file():
        raise InputError(f"It has no {_MANIFEST}, so it is no Core ML package.")
    try:
        content = read_json(manifest)
    except (OSError, ValueError) as error:
        raise InputError(f"Its {_MANIFEST} cannot be read: {error}.") from None
    if not isinstance(content, dict):
        raise InputError(f"Its {_MANIFEST} is not a JSON object.")
    return content
