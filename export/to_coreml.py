"""Write the traced module as an FP16 mlprogram, or with the NeuralNetwork backend."""

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from export.bundle import Pin
from export.metadata import Description, feature_descriptions, pinned, preview
from export.quiet import quiet
from models.common.lean_imports import without
from models.common.text import first_line
from models.errors import SegportError
from models.specification import InputContract

INPUT = "image"
LOGITS = "logits"
MASK = "mask"
# The newest target that the NeuralNetwork backend may be given.
NEURALNETWORK_TARGET = "iOS14"


@dataclass(frozen=True)
class Arithmetic:
    """Say what an mlprogram computes in: a float16 one may keep some operations in float32."""

    precision: Literal["float16", "float32"] = "float16"
    pins: tuple[Pin, ...] = ()


FLOAT16 = Arithmetic()
FLOAT32 = Arithmetic("float32")


# How coremltools says that an older target lacks what the network needs.
NEEDS_TARGET = re.compile(
    r"has version (?P<version>\d+) suitable for later|available from version (?P<from>\d+) onwards"
    r"|to at least coremltools\.target\.(?P<target>iOS\d+)"
)
WITHOUT = "Leave mlprogram and neuralnetwork out of FORMATS=, as FORMATS=torchscript,onnx."


class ConversionError(SegportError):
    """Say that coremltools could not convert the network, for the `reason`, and what to do."""

    def __init__(self, reason: str, remedy: str = WITHOUT):
        self.reason = reason.rstrip(".")
        super().__init__(f"The network cannot be converted to Core ML ({self.reason}). {remedy}")


def write_mlprogram(
    traced: torch.jit.ScriptModule,
    path: Path,
    target: str,
    description: Description,
    metadata: Mapping[str, str],
    arithmetic: Arithmetic = FLOAT16,
) -> None:
    """Convert to an mlprogram and save the `.mlpackage`.

    A grey or RGB image input with scale 1/255, or else an array `(1, channels, H, W)` in [0, 1];
    `logits (1, C, H, W)` float32, and int32 `mask (H, W)`, or `(C, H, W)` of independent channels.
    Weights and arithmetic are as `arithmetic` says.
    Raises ConversionError when coremltools cannot, or lacks its weight writer.
    """
    ct = _coremltools()
    if not _has_weight_writer():
        raise ConversionError("this coremltools has no weight writer (libmilstoragepython)")
    model = _convert(
        traced,
        description.contract,
        convert_to="mlprogram",
        minimum_deployment_target=getattr(ct.target, target),
        compute_precision=_compute_precision(ct, arithmetic),
    )
    _describe(model, description, {**metadata, **pinned(arithmetic.pins)})
    model.save(str(path))


def _compute_precision(ct: Any, arithmetic: Arithmetic) -> Any:
    if arithmetic.precision == "float32":
        return ct.precision.FLOAT32
    if not arithmetic.pins:
        return ct.precision.FLOAT16
    pins = {pin.operation for pin in arithmetic.pins}
    return ct.transform.FP16ComputePrecision(op_selector=lambda op: _stored(op.name) not in pins)


def _stored(name: str) -> str:
    """Return the name that an operation will have in the file: `input.143` becomes `input_143`."""
    safe = re.sub("[^a-zA-Z0-9_]", "_", name)
    return f"op_{safe}" if safe[:1].isdigit() else safe


def write_neuralnetwork(
    traced: torch.jit.ScriptModule,
    path: Path,
    target: str,
    description: Description,
    metadata: Mapping[str, str],
) -> str:
    """Convert with the NeuralNetwork backend, save the `.mlmodel`, return the target it has.

    Same names and shapes as the mlprogram; weights and arithmetic in float32.
    Raises ConversionError when coremltools cannot.
    """
    ct = _coremltools()
    oldest = min(target, NEURALNETWORK_TARGET)  # names sort as their versions do: iOS13 … iOS26
    model = _convert(
        traced,
        description.contract,
        convert_to="neuralnetwork",
        minimum_deployment_target=getattr(ct.target, oldest),
    )
    model = _declare_outputs(ct, model, description)
    _describe(model, description, metadata)
    model.save(str(path))
    return oldest


def _has_weight_writer() -> bool:
    """Return whether coremltools' compiled writer of weight files could be loaded."""
    backend = importlib.import_module("coremltools.converters.mil.backend.mil.load")
    return getattr(backend, "BlobWriter", None) is not None


def _declare_outputs(ct: Any, model: Any, description: Description) -> Any:
    """Declare shapes and types of the outputs, which the backend leaves open."""
    arrays = ct.proto.FeatureTypes_pb2.ArrayFeatureType
    logits = (1, description.specification.classes, *description.output_size)
    declared = {
        LOGITS: (arrays.FLOAT32, logits),
        MASK: (arrays.INT32, description.mask_shape),
    }
    spec = model.get_spec()
    for output in spec.description.output:
        data_type, shape = declared[output.name]
        output.type.multiArrayType.dataType = data_type
        output.type.multiArrayType.ClearField("shape")
        output.type.multiArrayType.shape.extend(shape)
    return ct.models.MLModel(spec, skip_model_load=True)


def _coremltools() -> Any:
    with quiet(), without("sklearn"):
        import coremltools

    return coremltools


def _convert(traced: torch.jit.ScriptModule, contract: InputContract, **options: Any) -> Any:
    ct = _coremltools()
    outputs = [
        ct.TensorType(name=LOGITS, dtype=np.float32),
        ct.TensorType(name=MASK, dtype=np.int32),
    ]
    with quiet():
        try:
            return ct.convert(
                traced,
                inputs=[_input(ct, contract)],
                outputs=outputs,
                skip_model_load=True,
                **options,
            )
        except OSError:  # a full disk says nothing against the network
            raise
        except Exception as error:  # the converter raises whatever its passes raise
            raise _conversion_error(ct, error) from error


def _conversion_error(ct: Any, error: Exception) -> ConversionError:
    """Return what coremltools' error means: the oldest target there is for the network, if any."""
    found = NEEDS_TARGET.search(str(error))
    if found is None:
        return ConversionError(f"{type(error).__name__}: {first_line(error)}")
    target = found["target"] or ct.target(int(found["version"] or found["from"])).name
    return ConversionError(
        f"it needs {target} or later", f"Choose TARGET={target}, or leave TARGET= away."
    )


def _input(ct: Any, contract: InputContract) -> Any:
    """Return an image where Core ML has such images, which have 1 or 3 channels, else an array."""
    if not contract.is_image:
        return ct.TensorType(name=INPUT, shape=contract.shape, dtype=np.float32)
    layouts = ct.colorlayout
    layout = layouts.GRAYSCALE if contract.channels == 1 else layouts.RGB
    return ct.ImageType(name=INPUT, shape=contract.shape, scale=1 / 255, color_layout=layout)


def _describe(model: Any, description: Description, metadata: Mapping[str, str]) -> None:
    model.short_description = description.sentence
    if description.author is not None:
        model.author = description.author
    if description.licence is not None:
        model.license = description.licence
    model.user_defined_metadata.update(metadata)
    model.user_defined_metadata.update(preview(description))
    described = feature_descriptions(description)
    model.input_description[INPUT] = described[INPUT]
    for name in (LOGITS, MASK):
        model.output_description[name] = described[name]
