"""Apple's Core ML through coremltools, which predicts on macOS only."""

from pathlib import Path

import coremltools
from PIL import Image

from export.bundle import Bundle
from validate.pictures import RGBImage
from validate.runtimes.interface import Outputs, checked_outputs, named_outputs


class CoreMLNative:
    """A `.mlpackage` or `.mlmodel` on whichever units Core ML chooses."""

    def __init__(self, path: Path, bundle: Bundle):
        self._model = coremltools.models.MLModel(str(path))
        self._specification = bundle.specification

    def run(self, image: RGBImage) -> Outputs:
        """Compute logits and mask of `image (H, W, 3)`, uint8, RGB."""
        outputs = named_outputs(self._model.predict({"image": Image.fromarray(image)}))
        return checked_outputs(*outputs, self._specification, image)
