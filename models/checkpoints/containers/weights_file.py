"""Find the file to read at the path that the user gave, which may be a folder of smp's."""

from pathlib import Path

from models.checkpoints.containers.safetensors_files import WEIGHTS_NAMES, smp_config
from models.common.paths import require_there
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
        require_there(path)
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
