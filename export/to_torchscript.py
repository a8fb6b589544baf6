"""Write the traced module as a frozen TorchScript archive that needs only torch to run."""

import json
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch

EXTRA_FILE = "segport.json"


def write_torchscript(
    traced: torch.jit.ScriptModule, path: Path, metadata: Mapping[str, str]
) -> None:
    """Freeze `traced` and save it, with `metadata` in its extra file `segport.json`.

    The archive takes `image (N, channels, H, W)` in [0, 1] and returns `(logits, mask)`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        frozen = torch.jit.freeze(traced)
        extra = {EXTRA_FILE: json.dumps(dict(metadata), ensure_ascii=False)}
        # Not straight to the file: torch's own writer aborts the process where the disk is full.
        path.write_bytes(frozen.save_to_buffer(_extra_files=extra))
