"""Run the script that people paste: import, load, trace, freeze, convert to FP16 Core ML, save.

Run as `python -m bench.baseline CHECKPOINT FOLDER`; prints a line `stage<TAB>seconds` a stage.
It checks nothing. It is the yardstick of `make bench`, not a part of Segport.
"""

import models.torchvision_shim  # noqa: F401

import sys
import time
from pathlib import Path

SIZE = 256


def main(checkpoint: str, folder: str) -> None:
    """Convert `checkpoint`, a training script's dict with `state_dict`, into `folder`."""
    last = time.perf_counter()

    def lap(stage: str) -> None:
        nonlocal last
        now = time.perf_counter()
        print(f"{stage}\t{now - last:.3f}", flush=True)  # noqa: T201
        last = now

    import coremltools as ct
    import segmentation_models_pytorch as smp
    import torch

    lap("import")
    model = smp.Unet("resnet34", encoder_weights=None, classes=2)
    model.load_state_dict(torch.load(checkpoint, weights_only=True)["state_dict"])
    model.eval()
    lap("load")
    traced = torch.jit.trace(model, torch.rand(1, 3, SIZE, SIZE))
    lap("trace")
    torch.jit.freeze(traced).save(str(Path(folder) / "model.torchscript.pt"))
    lap("freeze")
    image = ct.ImageType(name="image", shape=(1, 3, SIZE, SIZE), scale=1 / 255)
    converted = ct.convert(
        traced, inputs=[image], convert_to="mlprogram", compute_precision=ct.precision.FLOAT16
    )
    lap("convert")
    converted.save(str(Path(folder) / "model.mlpackage"))
    lap("save")


if __name__ == "__main__":
    main(*sys.argv[1:])
