"""Find what lies in a bundle's folder and is not listed in its `bundle.json`."""

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from export.result_files import CARD, CARD_MARKER, RESULTS
from models.common.hashing import sha256_of
from models.errors import InputError

if TYPE_CHECKING:
    from export.bundle import Bundle

# Names that somebody would take for a file of the bundle.
MODEL_SUFFIXES = {
    *(".onnx", ".ort", ".mlmodel", ".mlpackage", ".mlmodelc"),
    *(".pt", ".pth", ".ptl", ".torchscript", ".pte", ".tflite"),
}


def unlisted_files(bundle: "Bundle", folder: Path) -> tuple[str, ...]:
    """Return the paths of all files in `folder` that neither the export nor `validate` wrote.

    Paths are relative to `folder`, sorted; links and empty folders are told like files, and links
    are not followed.
    """
    known = {*(file.path for file in bundle.files), "bundle.json", *RESULTS, ".DS_Store"}
    if is_foreign_card(folder / CARD):
        known.remove(CARD)
    there = (f.relative_to(folder).as_posix() for f in folder.rglob("*") if _is_leaf(f))
    return tuple(sorted(set(there) - known))


def is_foreign_card(path: Path) -> bool:
    """Return whether a README lies at `path` that is no model card: somebody's own."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(CARD_MARKER)) != CARD_MARKER.encode()


def _is_leaf(path: Path) -> bool:
    return path.is_symlink() or not path.is_dir() or not any(path.iterdir())


def require_models_listed(bundle: "Bundle", folder: Path) -> None:
    """Raise InputError where a model lies in `folder` that `bundle` does not list.

    A copy of the checkpoint is no such file.
    """
    for path in unlisted_files(bundle, folder):
        parts = PurePosixPath(path).parts
        if not any(PurePosixPath(part).suffix.lower() in MODEL_SUFFIXES for part in parts):
            continue
        if not _is_checkpoint(bundle, folder / path):
            raise InputError(
                f"{folder / path} is not a file of this bundle: someone added it after the "
                "export, and nothing has judged it. Move it away, or export the bundle again."
            )


def _is_checkpoint(bundle: "Bundle", path: Path) -> bool:
    source = bundle.source
    is_as_large = path.is_file() and path.stat().st_size == source.size
    return is_as_large and sha256_of(path) == source.sha256
