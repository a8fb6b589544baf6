"""Choose the runtimes that judge an artifact on this machine.

The modules of the runtimes, and the libraries they need, are imported when one is opened.
"""

import importlib.util
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from export.bundle import Artifact, Bundle
from models.errors import InputError
from validate.runtimes.interface import NotRun, RefusedFile, Runtime

CoreMLChoice = Literal["native", "reference", "both"]
CHOICES = ("native", "reference", "both")
NO_MACOS = "Core ML itself runs on macOS only"
NO_ONNXRUNTIME = "onnxruntime is not installed (requirements.txt pins it)"


@dataclass(frozen=True)
class Opener:
    """Hold a runtime that exists here; `load` takes an artifact into it."""

    runtime: str
    load: Callable[[Path, Bundle], Runtime]

    def open(self, path: Path, bundle: Bundle) -> Runtime:
        """Load the artifact at `path`. Raises RefusedFile for what is no file, as a pipe."""
        for file in (path, *path.rglob("*")):
            if not file.is_file() and not file.is_dir():
                raise RefusedFile(f"{file} is not run: it is no regular file.")
        return self.load(path, bundle)


def runtimes_for(artifact: Artifact, coreml: CoreMLChoice | None) -> list[Opener | NotRun]:
    """Return the runtimes that judge `artifact`.

    `coreml` is "native", "reference" or "both"; None takes native where it exists, else the
    reference runtime. Raises InputError for another choice.
    """
    if coreml is not None and coreml not in CHOICES:
        raise InputError(f"There is no Core ML runtime {coreml!r}: {', '.join(CHOICES)} exist.")
    if artifact.format == "torchscript":
        return [Opener("torch.jit", _torchscript)]
    if artifact.format == "onnx":
        return [_onnx()]
    chosen = coreml or ("native" if _on_macos() else "reference")
    found: list[Opener | NotRun] = []
    if chosen in ("native", "both"):
        found.append(_native())
    if chosen in ("reference", "both"):
        found.append(Opener("Core ML reference", _coreml_reference))
    return found


def _native() -> Opener | NotRun:
    if not _on_macos():
        return NotRun("Core ML", NO_MACOS)
    return Opener("Core ML", _coreml_native)


def _on_macos() -> bool:
    return platform.system() == "Darwin"


def _onnx() -> Opener | NotRun:
    if importlib.util.find_spec("onnxruntime") is None:
        return NotRun("ONNX Runtime", NO_ONNXRUNTIME)
    return Opener("ONNX Runtime", _onnx_session)


def _torchscript(path: Path, bundle: Bundle) -> Runtime:
    from validate.runtimes.torchscript import TorchScript

    return TorchScript(path, bundle)


def _onnx_session(path: Path, bundle: Bundle) -> Runtime:
    from validate.runtimes.onnx_session import OnnxSession

    return OnnxSession(path, bundle)


def _coreml_native(path: Path, bundle: Bundle) -> Runtime:
    from validate.runtimes.coreml_native import CoreMLNative

    return CoreMLNative(path, bundle)


def _coreml_reference(path: Path, bundle: Bundle) -> Runtime:
    from validate.runtimes.coreml_reference import CoreMLReference

    return CoreMLReference(path, bundle)
