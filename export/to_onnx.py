"""Writes the deployable module as one self-contained ONNX file, by way of torch.export."""

from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from torch import Tensor

from export.quiet import quiet
from export.tracing import example_image
from models.deployable import Deployable
from models.errors import SegportError
from models.specification import InputContract

# What the exporter notes on every node beside the module's name: stack traces with the paths
# of the machine, which nobody wants to ship.
KEPT_NODE_METADATA = ("pkg.torch.onnx.name_scopes",)


def write_onnx(
    deployable: Deployable, contract: InputContract, path: Path, metadata: Mapping[str, str]
) -> int:
    """Export, check and save; returns the opset.

    Input `image (batch, channels, H, W)`, outputs `logits (batch, C, H, W)` and
    `mask (batch, H, W)`, or `(batch, C, H, W)` of independent channels.
    Raises SegportError when torch.export cannot follow the network, and
    onnx.checker.ValidationError when the file is not valid ONNX.
    """
    model = _followed(deployable, contract).model_proto
    _clean(model)
    for key, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    opset = int(next(o.version for o in model.opset_import if not o.domain))
    onnx.save(model, str(path))
    del model  # the checker reads the file again: its weights need not be there twice
    onnx.checker.check_model(str(path), full_check=True)
    return opset


def _followed(deployable: Deployable, contract: InputContract) -> torch.onnx.ONNXProgram:
    try:
        return onnx_program(deployable, contract)
    except torch.onnx.OnnxExporterError as error:
        cause = error.__cause__ or error
        lines = [line for line in str(cause).splitlines() if line.strip()] or ["no reason given"]
        raise SegportError(
            f"The network cannot be written as ONNX ({type(cause).__name__}: {lines[0][:200]}). "
            "Leave onnx out of FORMATS=, as FORMATS=torchscript,mlprogram."
        ) from error


def onnx_program(deployable: Deployable, contract: InputContract) -> torch.onnx.ONNXProgram:
    """The ONNX graph, with the `exported_program` whose values have the same names."""
    with quiet(), torch.no_grad():
        program = torch.onnx.export(
            deployable,
            (_two_images(contract),),
            dynamo=True,
            input_names=["image"],
            output_names=["logits", "mask"],
            dynamic_shapes={"image": {0: torch.export.Dim("batch")}},
            external_data=False,
            verbose=False,
        )
    assert program is not None  # only a call with a path returns nothing
    return program


def _two_images(contract: InputContract) -> Tensor:
    """An example of the batch dimension: what is seen with one image may hold for one alone."""
    return example_image(contract).repeat(2, 1, 1, 1)


def _clean(model: onnx.ModelProto) -> None:
    """Drop the exporter's notes, and name the producer."""
    model.producer_name = "segport"
    graph = model.graph
    for value in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del value.metadata_props[:]
    for node in graph.node:
        kept = [entry for entry in node.metadata_props if entry.key in KEPT_NODE_METADATA]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
        node.ClearField("doc_string")
    del graph.metadata_props[:]
    del model.metadata_props[:]
