"""Run Core ML files in the project's own reference runtime, on any machine."""

from pathlib import Path

from export.bundle import Bundle
from validate import coreml
from validate.images.reading import Picture
from validate.runtimes.interface import (
    OutOfScope,
    Outputs,
    as_feature,
    checked_outputs,
    named_outputs,
)


class CoreMLReference:
    """Run a `.mlpackage` or `.mlmodel` in `validate.coreml`."""

    def __init__(self, path: Path, bundle: Bundle):
        try:
            self._model = coreml.load(path)
        except coreml.UnsupportedOperation as error:
            raise OutOfScope(str(error)) from None
        self._specification = bundle.specification

    def run(self, image: Picture) -> Outputs:
        """Compute logits and mask of `image (H, W, C)`."""
        outputs = named_outputs(self._model.predict({"image": as_feature(image)}))
        return checked_outputs(*outputs, self._specification, image)
