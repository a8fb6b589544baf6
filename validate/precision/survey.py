"""Survey what the operations of a bundle's program need of float16.

first_picture_ranges    one picture through the file as it is, on every export: nearly free
with_ranges             up to 32 pictures through the float32 program, its weights too: `--ranges`
"""

import tempfile
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch

from export.bundle import Artifact, Bundle, read_bundle
from export.metadata import Description
from export.to_coreml import FLOAT32, write_mlprogram
from export.tracing import trace, trace_single_image
from models.deployable import Deployable
from models.errors import InputError
from models.labels import Labels
from validate import coreml
from validate.coreml.reader.program_constants import read_weights
from validate.images.samples import Samples, Source, find_samples
from validate.precision.measure import measure_ranges, modules_of
from validate.results.parity import Report
from validate.results.ranges import Ranges

TARGET = "iOS15"
"""Ranges are the same for every target."""
PICTURES = 32
"""`--ranges` takes so many pictures; more of them hardly reach further."""


def first_picture_ranges(
    bundle: Bundle, folder: Path, deployable: Deployable, samples: Samples
) -> Ranges | None:
    """Return the ranges of the bundle's Core ML file on the first picture; None without one.

    An mlprogram is preferred, but a NeuralNetwork is computed in float16 on phones too. Modules
    are named where float16 does not suit an operation. Raises InputError where it cannot be run.
    """
    artifact = rounded_artifact(bundle)
    if artifact is None:
        return None
    model = coreml.load(folder / artifact.path, arithmetic="float32")
    pinned = {pin.operation for pin in artifact.pins}
    images = [sample.image for sample in islice(samples, 1)]
    ranges = measure_ranges(model, images, pinned=pinned, sampled=True)
    if not ranges.faulty:
        return ranges
    module_of = modules_of(_traced(deployable))
    rows = (replace(each, module=module_of(each.name)) for each in ranges.operations)
    return replace(ranges, operations=tuple(rows))


def with_ranges(
    report: Report, folder: Path, deployable: Deployable, samples: Source = None
) -> Report:
    """Return `report` on the bundle in `folder`, with the ranges of its network on all pictures.

    The network is converted to a float32 program again, whose weights are not rounded.
    `samples` are those of the report. Raises InputError where the bundle has no Core ML file.
    """
    bundle, artifact = require_rounded(folder)
    pictures = islice(find_samples(samples, bundle.contract), PICTURES)
    single = _traced(deployable)
    with tempfile.TemporaryDirectory() as place:
        full = Path(place) / "float32.mlpackage"
        write_mlprogram(single, full, TARGET, _description(bundle), {}, FLOAT32)
        ranges = measure_ranges(
            coreml.load(full),
            (sample.image for sample in pictures),
            read_weights(full),
            modules_of(single),
            {pin.operation for pin in artifact.pins},
        )
    return replace(report, ranges=ranges)


def require_rounded(folder: Path) -> tuple[Bundle, Artifact]:
    """Return the bundle in `folder`, and its Core ML file that phones compute in float16.

    Raises InputError where it has none.
    """
    bundle = read_bundle(folder)
    artifact = rounded_artifact(bundle)
    if artifact is None:
        raise InputError(
            f"{folder} holds no Core ML file that is computed in float16, so that there are no "
            "ranges to measure: leave --ranges out."
        )
    return bundle, artifact


def rounded_artifact(bundle: Bundle) -> Artifact | None:
    """Return the Core ML file that phones compute in float16; None where there is none."""
    programs = [each for each in bundle.artifacts if each.key == "mlprogram"]
    if programs:
        return programs[0] if programs[0].precision == "float16" else None
    networks = (each for each in bundle.artifacts if each.format == "neuralnetwork")
    return next(networks, None)


def _traced(deployable: Deployable) -> torch.jit.ScriptModule:
    contract = deployable.contract
    return trace_single_image(trace(deployable, contract), contract)


def _description(bundle: Bundle) -> Description:
    labels = Labels(bundle.labels, bundle.colours, bundle.labels_source)
    source = bundle.source
    return Description(bundle.specification, bundle.contract, labels, source.file, source.sha256)
