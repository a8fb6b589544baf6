"""Describe the machine that a bundle is judged on, for reports."""

import os
import platform
from importlib.metadata import version

import torch

LIBRARIES = ("torch", "onnxruntime", "coremltools", "numpy")


def machine_facts() -> dict[str, str]:
    """Return system, cores and versions, by their names for people."""
    versions = ", ".join(f"{library} {version(library)}" for library in LIBRARIES)
    return {
        "System": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Cores": f"{os.cpu_count()}, {torch.get_num_threads()} used by PyTorch",
        "Versions": f"Python {platform.python_version()}, {versions}",
    }
