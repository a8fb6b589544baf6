"""Opens a file beside the recording of PyTorch's values whose names it keeps."""

import importlib.util
from functools import cached_property
from pathlib import Path

from export.bundle import Artifact
from export.coreml_names import CoreMLNames
from models.deployable import Deployable
from models.errors import InputError
from validate.drift.operations import OpenedFile
from validate.drift.torch_values import Recording

NO_ONNXRUNTIME = "onnxruntime is not installed (requirements.txt pins it)"


class Recordings:
    """PyTorch's own computation, in the two forms that files are made of, each made once."""

    def __init__(self, deployable: Deployable) -> None:
        self.deployable = deployable

    @cached_property
    def _traced(self) -> tuple[Recording, CoreMLNames]:
        from validate.drift.torchscript_graph import record_traced

        return record_traced(self.deployable, self.deployable.contract)

    @cached_property
    def _exported(self) -> Recording:
        from validate.drift.export_graph import record_exported

        return record_exported(self.deployable, self.deployable.contract)

    def open(self, artifact: Artifact, folder: Path) -> tuple[OpenedFile, Recording]:
        """The file, and the recording that its names are from. InputError when it is damaged."""
        path = folder / artifact.path
        if artifact.format == "onnx":
            if importlib.util.find_spec("onnxruntime") is None:
                raise InputError(NO_ONNXRUNTIME)
            from validate.drift.onnx_file import OnnxFile

            return OnnxFile(path, self._exported), self._exported
        from validate.drift.coreml_file import CoreMLFile

        recording, names = self._traced
        return CoreMLFile(path, names, recording), recording
