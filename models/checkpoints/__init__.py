"""Reading checkpoints: `read_checkpoint` takes the tensors out of a file, `normalise` names them.

    from models.checkpoints import normalise, read_checkpoint

    checkpoint = read_checkpoint(Path("breakage.pt"))
    state = normalise(checkpoint)   # state.tensors: the network's keys, float32

Nothing in a file is ever run: see `trusted.py` for the rule.
"""

from models.checkpoints.checkpoint import Checkpoint, StateDict
from models.checkpoints.prefixes import normalise
from models.checkpoints.read import read_checkpoint

__all__ = ["Checkpoint", "StateDict", "normalise", "read_checkpoint"]
