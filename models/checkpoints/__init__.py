"""Read the tensors of checkpoint files; nothing in a file is ever run.

read                the way from a path to named tensors
checkpoint          what it gives: `Checkpoint`, and the `StateDict` that networks want
weights_file        the file of a path, which may be a folder
detect_format       the format of a file, or what it is instead
torch_files, torchscript, safetensors_files    one kind of container a module
container           what each of them gives
raw_file, zip_records    bytes of a file, checked
unpickler, pickle_stack    a pickle interpreted
pickle_policy       what a name in a pickle may do
allowed_names, rebuild, numpy_values    the names that honest files use, and what stands in
records             names, objects and tensors of a pickle, unable to do anything
candidates, modules, plain    what could be weights, and the facts beside them
known_names         words of training scripts
split, choose       the one network among them
prefixes            its own keys, as float32
"""

from models.checkpoints.checkpoint import Checkpoint, StateDict
from models.checkpoints.prefixes import normalise
from models.checkpoints.read import read_checkpoint

__all__ = ["Checkpoint", "StateDict", "normalise", "read_checkpoint"]
