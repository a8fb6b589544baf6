"""Open a file beside the graph of PyTorch's values whose names it keeps."""

import importlib.util
from functools import cached_property
from pathlib import Path

from export.bundle import Artifact
from export.coreml_names import CoreMLNames
from models.deployable import Deployable
from models.errors import InputError
from validate.drift.operations import OpenedFile
from validate.drift.torch_values import TorchGraph
from validate.runtimes.choice import NO_ONNXRUNTIME


class TorchGraphs:
    """Hold PyTorch's own computation in the two forms that files are made of, each made once."""

    def __init__(self, deployable: Deployable) -> None:
        self.deployable = deployable

    @cached_property
    def _traced(self) -> tuple[TorchGraph, CoreMLNames]:
        from validate.drift.torchscript_graph import graph_of_trace

        return graph_of_trace(self.deployable, self.deployable.contract)

    @cached_property
    def _exported(self) -> TorchGraph:
        from validate.drift.export_graph import graph_of_export

        return graph_of_export(self.deployable, self.deployable.contract)

    def open(self, artifact: Artifact, folder: Path) -> tuple[OpenedFile, TorchGraph]:
        """Return the file, and the graph that its names are from. InputError when it is damaged."""
        path = folder / artifact.path
        if artifact.format == "onnx":
            if importlib.util.find_spec("onnxruntime") is None:
                raise InputError(NO_ONNXRUNTIME)
            from validate.drift.onnx_file import OnnxFile

            return OnnxFile(path, self._exported), self._exported
        from validate.drift.coreml_file import CoreMLFile

        graph, names = self._traced
        return CoreMLFile(path, names, graph), graph
