"""Run TorchScript, loaded from its file as a phone does."""

from pathlib import Path

import torch

from export.bundle import Bundle
from validate.images.reading import Picture
from validate.runtimes.interface import MalformedOutput, Outputs, as_input, checked_outputs


class TorchScript:
    """Run a `.torchscript.pt` on the CPU."""

    def __init__(self, path: Path, bundle: Bundle):
        self._module = torch.jit.load(str(path), map_location="cpu")
        self._specification = bundle.specification

    @torch.inference_mode()
    def run(self, image: Picture) -> Outputs:
        """Compute logits and mask of `image (H, W, C)`."""
        outputs = self._module(torch.from_numpy(as_input(image)))
        tensors = isinstance(outputs, tuple) and all(isinstance(o, torch.Tensor) for o in outputs)
        if not tensors or len(outputs) != 2:
            raise MalformedOutput("it does not return the pair of tensors (logits, mask)")
        logits, mask = (output.numpy() for output in outputs)
        return checked_outputs(logits, mask, self._specification, image)
