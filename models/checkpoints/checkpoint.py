"""Hold what comes out of a file: a `Checkpoint` as stored, a `StateDict` as networks want it."""

from dataclasses import dataclass, field
from pathlib import Path

import torch


@dataclass(frozen=True)
class Checkpoint:
    """Hold the weights of one file, read without running anything in it.

    path        what the user named
    container   "torch zip", "torch legacy", "safetensors", "TorchScript archive" or
                "smp save_pretrained folder"
    sha256      of the file; for a folder, of its weights file
    size        bytes of that file
    entry       where in the file the weights lie: "" (bare state dict), "state_dict",
                "ema/shadow", "module pickled whole: net.Unet"
    tensors     names as in the file, a module tree flattened as `state_dict()` does it; dtype as
                stored; on the CPU. They may share memory with each other, as in the file
    config      plain facts beside the weights: None, bool, int, float, str, list, dict
    ignored     entries of the file that are not the network's weights, with the reason
    notes       sentences for the user
    unusable    names of weights that cannot become a dense tensor of numbers, with the reason
    layers      of a module pickled whole: each torch layer's path -> its class and attributes
    module      class of a module pickled whole, "net.Unet"; "" for a state dict
    """

    path: Path
    container: str
    sha256: str
    size: int
    entry: str
    tensors: dict[str, torch.Tensor]
    config: dict[str, object] = field(default_factory=dict)
    ignored: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unusable: dict[str, str] = field(default_factory=dict)
    layers: dict[str, dict[str, object]] = field(default_factory=dict)
    module: str = ""


@dataclass(frozen=True)
class StateDict:
    """Hold a network's weights without wrapper prefixes, floating-point tensors as float32.

    tensors     normalised key -> tensor; integer and boolean tensors keep their dtype
    origin      normalised key -> key in the file
    prefix      what came off in front, such as "module.model."
    casts       normalised key -> dtype it was stored in, where that changed
    outside     keys of the file outside the network -> reason to ignore them, "" without one
    layers      of a module pickled whole, below the prefix: see `Checkpoint`
    """

    tensors: dict[str, torch.Tensor]
    origin: dict[str, str]
    prefix: str
    casts: dict[str, str]
    outside: dict[str, str]
    layers: dict[str, dict[str, object]] = field(default_factory=dict)
