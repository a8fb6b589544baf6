"""Say of a path that leads nowhere what may be meant, before anything that reads is imported."""

import difflib
from pathlib import Path

from models.errors import InputError


def require_there(path: Path) -> None:
    """Raise InputError, with the nearest names, where there is nothing at `path`."""
    try:
        if path.exists():
            return
        parent = path.parent
        names = sorted(p.name for p in parent.iterdir()) if parent.is_dir() else []
    except (OSError, ValueError) as error:
        raise InputError(f"{path.name} cannot be read: {error}.") from None
    near = difflib.get_close_matches(path.name, names, n=3, cutoff=0.5)
    if near:
        raise InputError(f"{path} does not exist. Did you mean {' or '.join(near)}?")
    where = "" if parent.is_dir() else f", and neither does the folder {parent}"
    raise InputError(f"{path} does not exist{where}: check the path.")
