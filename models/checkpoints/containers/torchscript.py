"""Refuse TorchScript archives whose weights have lost their names."""

from models.checkpoints.containers.container import OpenedFile
from models.checkpoints.containers.raw_file import RawFile
from models.checkpoints.containers.zip_records import ZipRecords
from models.checkpoints.modules import flatten, is_module
from models.checkpoints.pickles.records import Inert
from models.errors import InputError


def refuse_nameless(raw: RawFile, opened: OpenedFile) -> None:
    """Raise InputError for a frozen module, whose weights are constants of its code."""
    root = opened.root
    if not isinstance(root, Inert) or not is_module(root):
        raise InputError(f"{raw.path.name} is a TorchScript archive without a module in it.")
    if flatten(root, opened.budget):
        return
    if any("/constants/" in name for name in ZipRecords(raw).names):
        raise InputError(
            f"{raw.path.name} is a frozen TorchScript archive, whose weights have no names any "
            "more: give the checkpoint that it was made from, or the archive before "
            "torch.jit.freeze."
        )
    raise InputError(f"{raw.path.name} is a TorchScript archive without weights.")
