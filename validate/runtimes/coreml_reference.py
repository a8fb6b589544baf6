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
from validate.runtimes.limits import limited


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
        with limited(self._model.path) as until:
            values = self._model.run({"image": as_feature(image)}, check=until.check)
        outputs = named_outputs(values)
        return checked_outputs(*outputs, self._specification, image)
