"""Run Apple's Core ML through coremltools, which predicts on macOS only."""

from pathlib import Path

import coremltools

from export.bundle import Bundle
from validate.images.reading import Picture
from validate.runtimes.interface import Outputs, as_feature, checked_outputs, named_outputs


class CoreMLNative:
    """Run a `.mlpackage` or `.mlmodel` on whichever units Core ML chooses."""

    def __init__(self, path: Path, bundle: Bundle):
        self._model = coremltools.models.MLModel(str(path))
        self._specification = bundle.specification

    def run(self, image: Picture) -> Outputs:
        """Compute logits and mask of `image (H, W, C)`."""
        outputs = named_outputs(self._model.predict({"image": as_feature(image)}))
        return checked_outputs(*outputs, self._specification, image)
