"""Read the tensors of checkpoint files; nothing in a file is ever run.

read                the way from a path to named tensors
budget              what reading one file may cost
checkpoint          what it gives: `Checkpoint`, and the `StateDict` that networks want
containers/         the file opened: formats, records, storages
pickles/            its pickle interpreted
candidates, modules, plain    what could be weights, and the facts beside them
known_names         words of training scripts
split, choose       the one network among them
prefixes            its own keys, as float32
"""

from models.checkpoints.checkpoint import Checkpoint, StateDict
from models.checkpoints.prefixes import normalise
from models.checkpoints.read import read_checkpoint

__all__ = ["Checkpoint", "StateDict", "normalise", "read_checkpoint"]
