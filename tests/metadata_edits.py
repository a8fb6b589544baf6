"""Edits what exported files say of themselves, in each format."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import torch
from coremltools.models.utils import load_spec, save_spec

SPECIFICATION = Path("Data/com.apple.CoreML/model.mlmodel")
EXTRA = "segport.json"


def edit_specification(path: Path, change: Callable[[Any], None]) -> None:
    """Change the protobuf of a Core ML file in place."""
    specification = load_spec(str(path))
    change(specification)
    save_spec(specification, str(path / SPECIFICATION if path.is_dir() else path))


def edit_onnx(path: Path, change: Callable[[onnx.ModelProto], None]) -> None:
    """Change an ONNX model in place."""
    model = onnx.load(path)
    change(model)
    onnx.save(model, path)


def edit_metadata(path: Path, key: str, change: Callable[[str], str]) -> None:
    """Change one text of a file's metadata, whatever its format; an empty one is left out."""
    if path.suffix == ".onnx":
        edit_onnx(path, lambda model: _edit_properties(model, key, change))
    elif path.suffix == ".pt":
        _edit_extra_file(path, key, change)
    else:
        edit_specification(path, lambda model: _edit_user_defined(model, key, change))


def replace_torchscript(path: Path, module: torch.jit.ScriptModule) -> None:
    """Put `module`, frozen, in the place of a TorchScript file, with what that says of itself."""
    extra = {EXTRA: ""}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.load(str(path), _extra_files=extra)
        torch.jit.freeze(module.eval()).save(str(path), _extra_files=extra)


def _edit_user_defined(model: Any, key: str, change: Callable[[str], str]) -> None:
    entries = model.description.metadata.userDefined
    entries[key] = change(dict(entries).get(key, ""))
    if not entries[key]:
        del entries[key]


def _edit_properties(model: onnx.ModelProto, key: str, change: Callable[[str], str]) -> None:
    entries = {entry.key: entry.value for entry in model.metadata_props}
    entries[key] = change(entries.get(key, ""))
    onnx.helper.set_model_props(model, {name: text for name, text in entries.items() if text})


def _edit_extra_file(path: Path, key: str, change: Callable[[str], str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        extra = {EXTRA: ""}
        module = torch.jit.load(str(path), _extra_files=extra)
        entries = json.loads(extra[EXTRA])
        entries[key] = change(entries.get(key, ""))
        kept = {name: text for name, text in entries.items() if text}
        torch.jit.save(module, str(path), _extra_files={EXTRA: json.dumps(kept)})
