"""Find the file to read at the path that the user gave, which may be a folder of smp's."""

import difflib
from pathlib import Path

from models.checkpoints.safetensors_files import WEIGHTS_NAMES, smp_config
from models.errors import InputError

_FOLDERS = (
    ("data.pkl", "is an unpacked torch file: give the file itself, or zip the folder"),
    ("*.distcp", "is a distributed checkpoint: convert it with dcp_to_torch_save of PyTorch"),
)


def weights_file(path: Path) -> Path:
    """Return the file to read: `path`, or the weights in a save_pretrained folder.

    Raises InputError where there is none, which names files with similar names.
    """
    try:
        if path.is_dir():
            return _in_folder(path)
        if not path.exists():
            raise InputError(_missing(path))
        if not path.is_file():
            raise InputError(f"{path} is no regular file: give the file that torch.save wrote.")
    except (OSError, ValueError) as error:
        raise InputError(f"{path.name} cannot be read: {error}.") from None
    return path


def _in_folder(folder: Path) -> Path:
    for name in WEIGHTS_NAMES:
        if (folder / name).is_file():
            if not smp_config(folder / name):
                raise InputError(
                    f"{folder} has {name} but no config.json of smp's save_pretrained beside it: "
                    f"give {folder / name} itself to use the weights alone."
                )
            return folder / name
    for pattern, told in _FOLDERS:
        if any(folder.glob(pattern)):
            raise InputError(f"{folder} {told}.")
    raise InputError(
        f"{folder} is a folder without {' or '.join(WEIGHTS_NAMES)}: give a checkpoint file, or "
        "a folder that smp's save_pretrained wrote."
    )


def _missing(path: Path) -> str:
    parent = path.parent
    names = sorted(p.name for p in parent.iterdir()) if parent.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=3, cutoff=0.5)
    if near:
        return f"{path} does not exist. Did you mean {' or '.join(near)}?"
    where = "" if parent.is_dir() else f", and neither does the folder {parent}"
    return f"{path} does not exist{where}: check the path."
