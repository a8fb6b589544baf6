"""Run the reference: the PyTorch network built from the checkpoint, as it is."""

import torch

from models.deployable import Deployable
from validate.images.reading import Picture
from validate.runtimes.interface import Outputs, as_input


class Eager:
    """Run a `Deployable` in evaluation mode on the CPU."""

    def __init__(self, deployable: Deployable):
        self._deployable = deployable

    @torch.inference_mode()
    def run(self, image: Picture) -> Outputs:
        """Compute logits and mask of `image (H, W, C)`."""
        logits, mask = self._deployable(torch.from_numpy(as_input(image)))
        return Outputs(logits[0].numpy(), mask[0].numpy())
