"""Read safetensors files, and the folders that smp's `save_pretrained` writes around them."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from models.checkpoints.budget import OBJECTS, Budget
from models.checkpoints.containers.container import OpenedFile
from models.checkpoints.containers.raw_file import RawFile
from models.checkpoints.pickles.records import BrokenFile, StorageRef
from models.checkpoints.plain import Unconvertible, plain
from models.common.json_reader import parse_json
from models.common.paths import read_bytes
from models.common.text import shown

CONFIG_NAME = "config.json"
WEIGHTS_NAMES = ("model.safetensors", "pytorch_model.bin")
_BYTES_PER_ENTRY = 8
_CONFIG_LIMIT = 1 << 20


def read_safetensors(raw: RawFile) -> OpenedFile:
    """Read all tensors of a safetensors file; its metadata become config entries."""
    from safetensors import SafetensorError, safe_open

    header = int.from_bytes(raw.slice(0, 8).numpy().tobytes(), "little")
    raw.budget.spend(OBJECTS, header // _BYTES_PER_ENTRY)
    try:
        with safe_open(raw.path, framework="pt", device="cpu") as file:
            metadata: dict[str, Any] = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise BrokenFile(f"safetensors says: {str(error).rstrip('.')}") from None
    config = {name: _decoded(value, raw.budget) for name, value in metadata.items()}
    return OpenedFile("safetensors", raw.budget, tensors, _no_storage, config)


def smp_config(weights: Path) -> dict[str, object]:
    """Return the config.json beside a weights file if smp wrote it, else an empty dict."""
    beside = weights.with_name(CONFIG_NAME)
    try:
        config = parse_json(read_bytes(beside, _CONFIG_LIMIT))
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) and "_model_class" in config else {}


def _decoded(value: str, budget: Budget) -> object:
    """Return a metadata text, decoded where it is JSON, as labels and hyper-parameters are."""
    if value[:1] in ("{", "["):
        with suppress(ValueError, Unconvertible):
            return plain(parse_json(value), budget)
    return plain(value, budget)


def _no_storage(ref: StorageRef) -> torch.Tensor:
    raise BrokenFile(f"it refers to storage {shown(ref.key)}, which safetensors files do not have")
