"""Reports with pictures, made without a network: smooth logits, and files that add errors."""

from pathlib import Path

import numpy as np
from PIL import Image

from models.labels import BACKGROUND_COLOUR, PALETTE
from validate.images.samples import Skipped
from validate.metrics.comparison import compare, measure
from validate.metrics.decision_values import scale_of
from validate.metrics.float16_noise import Noise
from validate.metrics.tolerances import Tolerance, violations
from validate.parity.resize_filters import PHONE
from validate.results.drift import (
    Departure,
    Drift,
    InputDifference,
    OperationDrift,
    WeightDifference,
)
from validate.results.parity import (
    ArtifactResult,
    FilterEffect,
    PhotoWay,
    PictureResult,
    Report,
    SampleFacts,
    WayResult,
)
from validate.results.ranges import Magnitudes, OperationRange, Ranges
from validate.results.thumbnails import error_levels, shown_picture
from validate.runtimes import Outputs

FLOAT32 = Tolerance(
    2e-4, 85.0, 1e-6, 0.98, 2e-4, "float32 files differ by the order of their sums."
)
FLOAT16 = Tolerance(1e-2, 60.0, 2**-10, 0.92, 0.1, "float16 rounds.")
SAMPLES = sorted((Path(__file__).parents[1] / "samples").glob("*.jpg"))
FILES = (
    ("torchscript", "float32", "torch.jit", FLOAT32, 2e-6),
    ("mlprogram", "float16", "Core ML reference", FLOAT16, 2e-3),
    ("onnx", "float32", "ONNX Runtime", FLOAT32, 0.0),
)
NOT_RUN = ArtifactResult(
    "neuralnetwork", "made.mlmodel", "float32", 12_000_000, "Core ML", "not run", ("macOS only",)
)


def made_report(pictures=3, labels=2, side=96, *, broken=False, names=None):
    """A report on `pictures` rendered samples; a `broken` one has a file that sees other colours.

    `names` are the labels' and, where given, stand in the pictures' names too.
    """
    rng = np.random.default_rng(0)
    errors = [1.0 if broken and kind == "onnx" else error for kind, *_, error in FILES]
    judged = [_judged(rng, number, labels, side, errors, names) for number in range(pictures)]
    judged.sort(key=lambda each: -max(each[1][i].relative_error for i in range(len(FILES))))
    metrics = [[(shown.name, each[i]) for shown, each in judged] for i in range(len(FILES))]
    return Report(
        bundle="made",
        created="2026-01-01T00:00:00+00:00",
        facts={"Network": "smp Unet, encoder resnet34", "Input": f"RGB, {side} × {side}"},
        labels=names or ("background", *(f"class {number}" for number in range(1, labels))),
        colours=(
            BACKGROUND_COLOUR,
            *(f"0x{PALETTE[number % len(PALETTE)]}99" for number in range(labels - 1)),
        ),
        samples=SampleFacts("samples", pictures, (Skipped("notes.txt", "not a picture"),)),
        noise=Noise(0.001, 75.0),
        milliseconds=24.0,
        results=(*(_result(*each) for each in zip(FILES, metrics, strict=True)), NOT_RUN),
        machine={"System": "made", "Cores": "2"},
        seconds=1.5,
        photo_way=_photo_way(judged[0][0].name, judged[0][1]),
        shown=tuple(shown for shown, _ in judged),
    )


def _judged(rng, number, labels, side, errors, names):
    logits = _smooth(rng, labels, side) * 8
    reference = Outputs(logits, logits.argmax(0).astype(np.int32))
    masks, found, levels = {}, {}, {}
    scale = scale_of([reference])
    for index, error in enumerate(errors):
        other = logits + np.float32(error) * _smooth(rng, labels, side) * (0.5 + rng.random())
        outputs = Outputs(other.astype(np.float32), other.argmax(0).astype(np.int32))
        tolerance = FILES[index][3]
        compared = compare(reference, outputs, tolerance.max_error, tolerance.mask_slack)
        levels[index] = error_levels(reference, outputs, tolerance.max_error, scale)
        masks[index], found[index] = outputs.mask.astype(np.uint8), measure(compared)
    path = SAMPLES[number % len(SAMPLES)]
    with Image.open(path) as photo:
        proportions = photo.width / photo.height
        picture = np.asarray(photo.convert("RGB").resize((side, side)))
    picture = np.roll(picture, number, 1)
    name = f"{number:03}_{names[-1] if names else path.name}"
    mask = reference.mask.astype(np.uint8)
    return shown_picture(name, picture, mask, masks, levels, proportions), found


def _photo_way(name, found):
    files = tuple(
        WayResult(f"made.{kind}", runtime, 0, found[index].agreement, found[index].classes)
        for index, (kind, _, runtime, *_) in enumerate(FILES)
    )
    return PhotoWay((name,), PHONE, (FilterEffect("area", 0.98, found[1].classes),), files)


def _smooth(rng, labels, side):
    """Fields `(C, H, W)` that vary slowly, so that masks have areas."""
    coarse = rng.normal(size=(labels, 6, 6)).astype(np.float32)
    size = (side, side)
    return np.stack([np.asarray(Image.fromarray(each).resize(size, 3)) for each in coarse])


def _result(file, metrics):
    kind, precision, runtime, tolerance, _ = file
    suffix = {"torchscript": ".torchscript.pt", "mlprogram": ".mlpackage", "onnx": ".onnx"}[kind]
    worst = max((PictureResult(*each) for each in metrics), key=_error)
    reasons = violations(worst.metrics, _error(worst), tolerance)
    return ArtifactResult(
        format=kind,
        path=f"made{suffix}",
        precision=precision,
        size=48_900_000,
        runtime=runtime,
        status="failed" if reasons else "passed",
        reasons=reasons,
        tolerance=tolerance,
        total=worst.metrics,
        worst=worst,
        pictures=tuple(PictureResult(*each) for each in metrics),
        milliseconds=20.0,
        ratio=0.83,
    )


def _error(picture):
    return picture.metrics.relative_error


def made_drift(operations=40, departing=25, names=("encoder.layer1", "decoder.blocks.0")):
    """Two files followed: one that departs at an operation, and a healthy one."""
    rows = [
        OperationDrift(
            name=f"input_{index}_cast_fp16",
            kind="conv" if index % 2 else "relu",
            module=f"{names[index * len(names) // operations]}.{index}",
            own=2.3 if index == departing else 3e-4,
            explained=2e-3,
            accumulated=1e-3 * (1 + index) if index < departing else 1.5,
            largest=0.01,
            joined=("image__scaled__",) if index == 0 else (),
        )
        for index in range(operations)
    ]
    first = Departure(
        index=departing,
        inputs=(InputDifference("input_24_cast_fp16", "encoder.layer1.24", 0.02),),
        weights=(
            WeightDifference("weight", "encoder.conv1 + bn1", 2.0, 2**-10, "is negated"),
            WeightDifference("bias", "encoder.conv1 + bn1", None, 2**-10, "has another shape"),
        ),
        parameters={"strides": "[1, 1]"},
        cause="its weight is not PyTorch's",
    )
    common = ("mlprogram", "float16", "a.jpg", operations + 1)
    healthy = tuple(row for row in rows if row.own < 1)
    return (
        Drift("made.mlpackage", *common, tuple(rows), first),
        Drift("made.onnx", "onnx", "float32", "b.jpg", operations, healthy),
        Drift("made.mlmodel", "neuralnetwork", "float32", "c.jpg", 0, (), None, "it is damaged"),
    )


def made_ranges(module="decoder.conv2"):
    """Return the ranges of three operations: one fits float16, one does not, one is in float32."""
    fine, wide = Magnitudes(12.0, 1e-3, 0.0, 2e-4), Magnitudes(84_700.0, 0.01, 0.0, 2e-4)
    rows = (
        OperationRange("a", "conv", "encoder.conv1", fine, Magnitudes(0.5, 1e-9, 0.1, 2e-4)),
        OperationRange("b", "relu", None, wide, None),
        OperationRange("c", "conv", module, wide, fine, pinned=True),
    )
    return Ranges(3, True, rows)
