"""Write the deployable module as one self-contained ONNX file, by way of torch.export."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor
from torch.utils._sympy.numbers import int_oo

from export.quiet import quiet
from export.tracing import example_image
from models.common.text import first_line
from models.deployable import Deployable
from models.errors import SegportError
from models.specification import InputContract

# What the exporter notes on every node beside the module's name: stack traces with the paths
# of the machine, which nobody wants to ship.
KEPT_NODE_METADATA = ("pkg.torch.onnx.name_scopes",)


def write_onnx(
    deployable: Deployable, contract: InputContract, path: Path, metadata: Mapping[str, str]
) -> tuple[int, bool]:
    """Export, check and save; return the opset, and whether the file takes batches of any size.

    Input `image (batch, channels, H, W)`, outputs `logits (batch, C, H, W)` and
    `mask (batch, H, W)`, or `(batch, C, H, W)` of independent channels; where the network's code
    makes a number of the batch's size, the batch is 1.
    Raises SegportError when torch.export cannot follow the network, and
    onnx.checker.ValidationError when the file is not valid ONNX.
    """
    program = _followed(deployable, contract)
    any_batch, model = _any_batch(program), program.model_proto
    _clean(model)
    for key, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    opset = int(next(o.version for o in model.opset_import if not o.domain))
    onnx.save(model, str(path))
    del model, program  # the checker reads the file again: its weights need not be there twice
    onnx.checker.check_model(str(path), full_check=True)
    return opset, any_batch


def _followed(deployable: Deployable, contract: InputContract) -> torch.onnx.ONNXProgram:
    try:
        return onnx_program(deployable, contract)
    except torch.onnx.OnnxExporterError as error:
        cause = error.__cause__ or error
        raise SegportError(
            f"The network cannot be written as ONNX ({type(cause).__name__}: {first_line(cause)}). "
            "Leave onnx out of FORMATS=, as FORMATS=torchscript,mlprogram."
        ) from error


def onnx_program(deployable: Deployable, contract: InputContract) -> torch.onnx.ONNXProgram:
    """Return the ONNX graph, with the `exported_program` whose values have the same names.

    Raises torch.onnx.OnnxExporterError when torch.export cannot follow the network.
    """
    image = example_image(contract)
    with contextlib.suppress(torch.onnx.OnnxExporterError):
        # Two images: what the exporter sees with one may hold for a batch of one alone.
        any_batch = {"image": {0: torch.export.Dim("batch")}}
        program = _exported(deployable, image.repeat(2, 1, 1, 1), any_batch)
        if _any_batch(program):
            return program
    return _exported(deployable, image, None)


def _exported(
    deployable: Deployable, image: Tensor, dynamic: dict[str, Any] | None
) -> torch.onnx.ONNXProgram:
    with quiet(), torch.no_grad():
        program = torch.onnx.export(
            deployable,
            (image,),
            dynamo=True,
            input_names=["image"],
            output_names=["logits", "mask"],
            dynamic_shapes=dynamic,
            external_data=False,
            verbose=False,
        )
    assert program is not None  # only a call with a path returns nothing
    return program


def _any_batch(program: torch.onnx.ONNXProgram) -> bool:
    """Return whether the batch stayed free: the exporter may fix a dimension without a word."""
    exported: Any = program.exported_program
    image = [node for node in exported.graph.nodes if node.op == "placeholder"][-1]
    size = image.meta["val"].shape[0]
    if isinstance(size, int):
        return False
    allowed = exported.range_constraints.get(size.node.expr)
    return allowed is not None and allowed.lower <= 1 and allowed.upper == int_oo


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
