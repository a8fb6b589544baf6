"""Read the tensors of checkpoint files; nothing in a file is ever run."""

from models.checkpoints.checkpoint import Checkpoint, StateDict
from models.checkpoints.prefixes import normalise
from models.checkpoints.read import read_checkpoint

__all__ = ["Checkpoint", "StateDict", "normalise", "read_checkpoint"]
