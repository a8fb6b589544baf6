"""Write the traced module as a frozen TorchScript archive that needs only torch to run."""

import io
import json
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch

EXTRA_FILE = "segport.json"
DEBUG_RECORD = ".debug_pkl"
"""How the name of a record ends that tells from which lines of whose source files code came."""
VERSIONS = ("version", ".data/version")
"""Record of the archive's version, by its place before version 10 and since."""
SERIALIZATION = ".data/serialization_id"
"""Record of hashes, which torch's writer adds to each archive as it does the version."""


def write_torchscript(
    traced: torch.jit.ScriptModule, path: Path, metadata: Mapping[str, str]
) -> None:
    """Freeze `traced` and save it, with `metadata` in its extra file `segport.json`.

    The archive takes `image (N, channels, H, W)` in [0, 1] and returns `(logits, mask)`. It names
    no folder of this machine.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        frozen = torch.jit.freeze(traced)
        extra = {EXTRA_FILE: json.dumps(dict(metadata), ensure_ascii=False)}
        # Not straight to the file: torch's own writer aborts the process where the disk is full.
        path.write_bytes(_without_sources(frozen.save_to_buffer(_extra_files=extra)))


def _without_sources(archive: bytes) -> memoryview:
    """Return a TorchScript archive without the records that hold paths of source files.

    torch needs them for the traces of its error messages alone.
    """
    reader, stripped = torch._C.PyTorchFileReader(io.BytesIO(archive)), io.BytesIO()
    writer = torch._C.PyTorchFileWriter(stripped)
    names = reader.get_all_records()
    # Loading upgrades the operations of older versions, so that this must stay what it was.
    version = next(name for name in VERSIONS if name in names)
    writer.set_min_version(int(reader.get_record(version)))
    for name in names:
        if not name.endswith(DEBUG_RECORD) and name not in (version, SERIALIZATION):
            record = reader.get_record(name)
            writer.write_record(name, record, len(record))
    writer.write_end_of_file()
    return stripped.getbuffer()
