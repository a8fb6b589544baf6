"""Run the reference: the PyTorch network built from the checkpoint, as it is."""

from collections.abc import Sequence

import torch

from models.deployable import Deployable
from validate.images.reading import Picture
from validate.runtimes.interface import Outputs, as_batch


class Eager:
    """Run a `Deployable` in evaluation mode on the CPU."""

    def __init__(self, deployable: Deployable):
        self._deployable = deployable

    def run(self, image: Picture) -> Outputs:
        """Compute logits and mask of `image (H, W, C)`."""
        return self.run_batch([image])[0]

    @torch.inference_mode()
    def run_batch(self, images: Sequence[Picture]) -> list[Outputs]:
        """Compute logits and mask of `images`, each `(H, W, C)`, as one batch."""
        logits, masks = self._deployable(torch.from_numpy(as_batch(images)))
        pairs = zip(logits.numpy(), masks.numpy(), strict=True)
        return [Outputs(each, mask) for each, mask in pairs]
