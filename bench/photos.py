"""Measure `segport validate` of many photos beside a bare loop over the same four runtimes.

Run as `python -m bench.photos BUNDLE CHECKPOINT PHOTOS`, it is the bare loop.
"""

import models.torchvision_shim  # noqa: F401

import os
import shutil
import sys
from pathlib import Path

from rich.console import Console

from bench.export import eight_pictures, export_command
from bench.measure import run
from bench.rows import Row, ratios

PHOTOS = 200


def rows(checkpoint: Path, folder: Path, rounds: int, _console: Console) -> list[Row]:
    """Run both in turns, on copies of the project's own samples."""
    pictures = sorted(eight_pictures(folder / "eight").iterdir())
    run(export_command(checkpoint, folder / "build", folder / "eight"))
    (folder / "many").mkdir()
    for number in range(PHOTOS):
        shutil.copy(pictures[number % len(pictures)], folder / "many" / f"{number:03}.jpg")
    bundle, photos = str(folder / "build" / checkpoint.stem), str(folder / "many")
    options = ["--checkpoint", str(checkpoint), "--samples", photos]
    validate = [sys.executable, "-m", "segport", "validate", bundle, *options]
    loop = [sys.executable, "-m", "bench.photos", bundle, str(checkpoint), photos]
    pairs = [(run(loop).seconds, run(validate).seconds) for _ in range(rounds)]
    loops, validations = zip(*pairs, strict=True)
    return [Row(f"validate {PHOTOS} photos : loop", ratios(validations, loops), 1.15)]


def main(bundle: str, checkpoint: str, photos: str) -> None:
    """Run PyTorch, TorchScript, Core ML and ONNX on each photo, and look at nothing."""
    import numpy as np
    import onnxruntime
    import torch
    from PIL import Image
    from segmentation_models_pytorch import Unet

    from validate import coreml

    file = str(Path(bundle) / Path(bundle).name)
    network = Unet("resnet34", encoder_weights=None, classes=2).eval()
    network.load_state_dict(torch.load(checkpoint, weights_only=True)["state_dict"])
    traced = torch.jit.load(f"{file}.torchscript.pt")
    package = coreml.load(Path(f"{file}.mlpackage"))
    session = onnxruntime.InferenceSession(f"{file}.onnx")
    for path in sorted(Path(photos).iterdir()):
        picture = Image.open(path).convert("RGB").resize((256, 256), Image.Resampling.BILINEAR)
        pixels = np.asarray(picture)
        batch = np.float32(pixels.transpose(2, 0, 1)[None]) / 255
        with torch.inference_mode():
            network(torch.from_numpy(batch))
            traced(torch.from_numpy(batch))
        package.predict({"image": pixels})
        session.run(None, {"image": batch})


if __name__ == "__main__":
    main(*sys.argv[1:])
    os._exit(0)
