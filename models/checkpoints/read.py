"""`read_checkpoint`: from a path to named tensors, whatever container they are in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import torch

from models.checkpoints.candidates import Survey, survey
from models.checkpoints.checkpoint import Checkpoint
from models.checkpoints.choose import Choice, choose
from models.checkpoints.container import Opened
from models.checkpoints.detect_format import HEAD, identify, is_container
from models.checkpoints.known_names import NORMALISATION
from models.checkpoints.raw_file import RawFile
from models.checkpoints.records import BrokenFile, RefusedGlobal, shown
from models.checkpoints.safetensors_files import WEIGHTS_NAMES, read_safetensors, smp_config
from models.checkpoints.torch_files import read_legacy, read_zip
from models.checkpoints.torchscript import refuse_nameless
from models.checkpoints.unpickler import DECODING_ERRORS
from models.checkpoints.zip_records import ZIP_ERRORS
from models.common.hashing import sha256_of
from models.common.paths import require_there
from models.errors import InputError

_MOST_CHANNELS: Final = 64
_FOLDERS: Final = (
    ("data.pkl", "is an unpacked torch file: give the file itself, or zip the folder"),
    ("*.distcp", "is a distributed checkpoint: convert it with dcp_to_torch_save of PyTorch"),
)
_DAMAGE: Final = (*DECODING_ERRORS, *ZIP_ERRORS)


def read_checkpoint(path: Path, *, weights: str | None = None) -> Checkpoint:
    """Read the weights of a checkpoint file without running anything that is in it.

    path      a file of torch.save (zip or legacy format), torch.jit.save or safetensors, or a
              folder or file of smp's save_pretrained
    weights   which entry to take: "ema" for averaged weights wherever they lie, or a path of
              entry names such as "model_ema", "student" or "state_dict/teacher"

    Without `weights`, raw weights win over averaged ones (EMA, SWA); averaged ones alone are
    taken with a note; two entries that could both be the network are refused, with their names.

    No global that a pickle names is ever imported. Names that honest checkpoints need run this
    package's own functions, which only make records; other third-party classes become inert
    placeholders, whose objects may be created and given a state; a call is possible only for
    CapWords names; anything else of the standard library, and every other call, is refused with
    the name of what the file wanted (see `trusted.py`).

    Raises InputError for everything that cannot be used: one sentence that names the file, what
    is wrong and what to do.
    """
    file = _weights_file(path)
    try:
        state = _state(file)
        opened = _open(file)
        found = survey(opened.root)
        choice = choose(file.name, found.candidates, weights)
        return _checkpoint(path, file, state, opened, found, choice)
    except RefusedGlobal as refused:
        raise InputError(
            f"{file.name} wants to {shown(refused)}, which no checkpoint needs; it was not run. "
            "Do not trust this file."
        ) from None
    except BrokenFile as broken:
        raise InputError(f"{file.name} cannot be read: {shown(broken)}. {broken.advice}") from None
    except OSError as error:
        raise InputError(f"{file.name} cannot be read: {error.strerror or error}.") from None
    except _DAMAGE:
        raise InputError(f"{file.name} is damaged or cut off. Copy or download it again.") from None


def _weights_file(path: Path) -> Path:
    """The file to read: `path`, or the weights in a save_pretrained folder."""
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


def _open(file: Path) -> Opened:
    size = file.stat().st_size
    if size == 0:
        raise InputError(f"{file.name} is empty: copy or download it again.")
    with file.open("rb") as stream:
        kind = identify(stream.read(HEAD), size)
    if kind == "tar":
        raise InputError(
            f"{file.name} is a tar file, as PyTorch before 0.1.10 wrote them: load it there and "
            "save it again with a newer version."
        )
    if not is_container(kind):
        raise InputError(f"{file.name} is {kind}.")
    opened = _open_container(file, kind)
    config = smp_config(file) if file.name in WEIGHTS_NAMES else {}
    if config:
        return replace(
            opened,
            container="smp save_pretrained folder",
            config={**opened.config, "config.json": config},
        )
    return opened


def _open_container(file: Path, kind: str) -> Opened:
    if kind == "safetensors":
        return read_safetensors(file)
    raw = RawFile(file)
    if kind == "legacy":
        return read_legacy(raw)
    opened = read_zip(raw)
    if opened.container == "TorchScript archive":
        refuse_nameless(raw, opened)
    return opened


def _checkpoint(
    path: Path, file: Path, state: object, opened: Opened, found: Survey, choice: Choice
) -> Checkpoint:
    tensors: dict[str, torch.Tensor] = {}
    unusable: dict[str, str] = {}
    for name, record in choice.taken.records.items():
        value = opened.read(record)
        if isinstance(value, torch.Tensor):
            tensors[name] = value
        else:
            unusable[name] = value.reason
    normalisation, told = _input_normalisation(tensors)
    digest = sha256_of(file)
    if _state(file) != state:
        raise InputError(f"{file.name} changed while it was read: wait until it is written.")
    return Checkpoint(
        path=path,
        container=opened.container,
        sha256=digest,
        size=file.stat().st_size,
        entry=choice.taken.label,
        tensors=tensors,
        config={**normalisation, **opened.config, **found.config},
        ignored={**found.ignored, **choice.ignored},
        notes=(*opened.notes, *choice.notes, *told),
        unusable=unusable,
        layers=choice.taken.layers,
    )


def _state(file: Path) -> tuple[int, ...]:
    """What changes when a file is written to or replaced."""
    found = file.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _input_normalisation(tensors: dict[str, torch.Tensor]) -> tuple[dict[str, object], list[str]]:
    """Per-channel `mean` and `std` buffers of a training module, which are not the network's."""
    found: dict[str, object] = {
        name: tensor.flatten().tolist()
        for name, tensor in tensors.items()
        if name in NORMALISATION and tensor.numel() <= _MOST_CHANNELS
    }
    if not found:
        return {}, []
    return found, [
        f"The training module has {' and '.join(found)} beside the network: if it normalised its "
        "input with them, give them as MEAN= and STD=."
    ]
