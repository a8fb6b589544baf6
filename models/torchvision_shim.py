"""Let torchvision be imported beside a torch build that its compiled operators do not fit.

smp needs only torchvision's pure Python model classes, but `import torchvision` registers
fake kernels for `torchvision::nms` and `torchvision::qnms` and stops with `RuntimeError:
operator torchvision::nms does not exist` where the compiled library cannot be loaded (a
CPU-only torch beside the ordinary torchvision wheel). Declaring the schemas is enough.

Import this module before `segmentation_models_pytorch` or `timm`.
"""

import contextlib
import importlib.util
import sys
from pathlib import Path

import torch

SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_declarations: list[torch.library.Library] = []
"""Keeps libraries alive: the schemas of one that is garbage collected are gone."""


def _compiled_operators_load() -> bool:
    """Register torchvision's operators; return whether its compiled library fits this torch."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return True  # nothing to mend: the import itself will say what is missing
    for library in Path(spec.origin).parent.glob("_C*"):  # _C.so, or _C_stable.so from 0.29 on
        with contextlib.suppress(OSError):
            torch.ops.load_library(str(library))
    return hasattr(torch.ops.torchvision, "nms")


def declare_missing_operators() -> None:
    """Declare the two schemas where, and only where, torchvision could not load its own."""
    if "torchvision" in sys.modules or _declarations or _compiled_operators_load():
        return
    library = torch.library.Library("torchvision", "DEF")
    for schema in SCHEMAS.values():
        library.define(schema)
    _declarations.append(library)


declare_missing_operators()
