"""Read a path into named tensors, whatever container they are in."""

from dataclasses import replace
from pathlib import Path

import torch

from models.checkpoints.budget import STATE_DICT
from models.checkpoints.candidates import FileContents, find_candidates
from models.checkpoints.checkpoint import Checkpoint
from models.checkpoints.choose import ChosenWeights, choose
from models.checkpoints.containers.container import OpenedFile
from models.checkpoints.containers.detect_format import HEAD, identify, is_container
from models.checkpoints.containers.raw_file import RawFile
from models.checkpoints.containers.safetensors_files import (
    WEIGHTS_NAMES,
    read_safetensors,
    smp_config,
)
from models.checkpoints.containers.torch_files import read_legacy, read_zip
from models.checkpoints.containers.torchscript import refuse_nameless
from models.checkpoints.containers.weights_file import weights_file
from models.checkpoints.containers.zip_records import ZIP_ERRORS
from models.checkpoints.known_names import NORMALISATION
from models.checkpoints.pickles.records import BrokenFile, RefusedGlobal, UnusableTensor
from models.checkpoints.pickles.unpickler import DECODING_ERRORS
from models.common.hashing import sha256_of
from models.common.text import shown
from models.errors import InputError

_MOST_CHANNELS = 64
"""Numbers that a mean or standard deviation of the input may have."""
_LONGEST_NAME = 500
_DEEPEST_NAME = 60
_SENTENCE = 400
"""Characters of a reason that quotes the file."""
_DAMAGE = (*DECODING_ERRORS, *ZIP_ERRORS)


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
    the name of what the file wanted (see `pickles/policy.py`).

    Raises InputError for everything that cannot be used: one sentence that names the file, what
    is wrong and what to do.
    """
    file = weights_file(path)
    try:
        state = _state(file)
        opened = _open(file)
        found = find_candidates(opened.root, opened.budget)
        choice = choose(file.name, found.candidates, weights, opened.budget)
        checkpoint = _checkpoint(path, file, opened, found, choice)
        if _state(file) != state:
            raise InputError(f"{file.name} changed while it was read: wait until it is written.")
        return checkpoint
    except RefusedGlobal as refused:
        wish = shown(refused, _SENTENCE)
        raise InputError(
            f"{file.name} wants to {wish}, which no checkpoint needs; it was not run. "
            "Do not trust this file."
        ) from None
    except BrokenFile as broken:
        reason = shown(broken, _SENTENCE)
        raise InputError(f"{file.name} cannot be read: {reason}. {broken.advice}") from None
    except OSError as error:
        raise InputError(f"{file.name} cannot be read: {error.strerror or error}.") from None
    except _DAMAGE:
        raise InputError(f"{file.name} is damaged or cut off. Copy or download it again.") from None


def _open(file: Path) -> OpenedFile:
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


def _open_container(file: Path, kind: str) -> OpenedFile:
    raw = RawFile(file)
    if kind == "safetensors":
        return read_safetensors(raw)
    if kind == "legacy":
        return read_legacy(raw)
    opened = read_zip(raw)
    if opened.container == "TorchScript archive":
        refuse_nameless(raw, opened)
    return opened


def _checkpoint(
    path: Path, file: Path, opened: OpenedFile, found: FileContents, choice: ChosenWeights
) -> Checkpoint:
    _require_names([*choice.taken.records, *choice.taken.layers])
    values = {name: opened.read(record) for name, record in choice.taken.records.items()}
    tensors = {n: value for n, value in values.items() if isinstance(value, torch.Tensor)}
    unusable = {n: value.reason for n, value in values.items() if isinstance(value, UnusableTensor)}
    normalisation, notes = _input_normalisation(tensors)
    return Checkpoint(
        path=path,
        container=opened.container,
        sha256=sha256_of(file),
        size=file.stat().st_size,
        entry=choice.taken.label,
        tensors=tensors,
        config={**normalisation, **opened.config, **found.config},
        ignored={**found.ignored, **choice.ignored},
        notes=(*opened.notes, *choice.notes, *notes),
        unusable=unusable,
        layers=choice.taken.layers,
        module=choice.taken.module,
    )


def _require_names(names: list[str]) -> None:
    """Raise BrokenFile for a name that no layer of a network has: messages could not quote it."""
    for name in names:
        if len(name) > _LONGEST_NAME or name.count(".") > _DEEPEST_NAME or not name.isprintable():
            raise BrokenFile(
                f"the name of a layer has {len(name):,} characters in {name.count('.') + 1:,} "
                f"parts ({shown(name)}), which no network has",
                STATE_DICT,
            )


def _state(file: Path) -> tuple[int, ...]:
    """Return figures that change when a file is written to or replaced."""
    found = file.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _input_normalisation(tensors: dict[str, torch.Tensor]) -> tuple[dict[str, object], list[str]]:
    """Return the `mean` and `std` buffers of a training module, and a note about them."""
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
