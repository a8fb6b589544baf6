"""Write golden fixtures: a few samples with PyTorch's answers, for the app's parity screen.

The app reads `<bundle>.golden.json`; beside it lie the pictures at the model's input size, and
PyTorch's masks as coloured pictures for people.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from export.bundle import Artifact, Bundle, read_bundle, verify_files
from models.custom.option import NamedModule
from models.errors import InputError
from validate.images.overlay import as_rgb, palette_image, rgba
from validate.images.reading import RGBImage
from validate.images.samples import Sample, Source, find_samples, require_some
from validate.ios.golden import DeviceGate, describe_fixture, describe_sample
from validate.metrics.decision_values import scale_of
from validate.metrics.tolerances import AGREEING, row_of, tolerance_for
from validate.reference.compressed import compressed_network
from validate.reference.network import ComputedReference, load_reference
from validate.runtimes import Outputs

COUNT = 4
COREML_FORMATS = ("mlprogram", "neuralnetwork")


@dataclass(frozen=True)
class GoldenPicture:
    """Hold one sample and PyTorch's outputs on it."""

    name: str
    image: RGBImage
    outputs: Outputs


def write_fixtures(
    bundle_folder: Path,
    destination: Path,
    *,
    samples: Source = None,
    checkpoint: Path | None = None,
    module: NamedModule | None = None,
) -> tuple[Path, ...]:
    """Run PyTorch on the first samples, and write what it computed into `destination`.

    `samples` is a folder, a list of files, or None for the project's own; the first COUNT that
    can be read are used. Return the files, the JSON first. Raise InputError when the bundle or
    its checkpoint is damaged or missing, it has no Core ML file, its channels are not what the
    app shows, or no sample can be read.
    """
    bundle = read_bundle(bundle_folder)
    verify_files(bundle, bundle_folder)
    _require_for_the_app(bundle, bundle_folder)
    artifacts = coreml_artifacts(bundle, bundle_folder)
    found = find_samples(samples, bundle.contract)
    network = load_reference(bundle, bundle_folder, checkpoint, module)
    reference = ComputedReference(network)
    chosen = list(_named(islice(found, COUNT)))
    pictures = _answered(chosen, reference)
    require_some(found)
    rows = {row_of(a.format, a.precision, "Core ML") for a in artifacts}
    # The app judges all files by one gate, which is that of the coarsest arithmetic.
    coarsest = min(rows, key=lambda row: row[1] != "float16")
    tolerance = tolerance_for(coarsest, reference.noise())
    gate = DeviceGate(
        tolerance.max_error,
        decisive_flips=0,
        min_iou=tolerance.min_iou,
        agreeing_pixels=AGREEING,
        reason=tolerance.reason,
    )
    files = _write(bundle, destination, pictures, gate)
    for artifact in artifacts:
        if artifact.compression is not None:  # its answers are those of its own weights
            own = compressed_network(network, bundle, bundle_folder, artifact)
            answers = _answered(chosen, ComputedReference(own))
            name, form = Path(artifact.path).stem, artifact.compression.form
            files += (_write_document(bundle, destination, answers, gate, name, form),)
    return files


def _answered(
    chosen: Sequence[tuple[str, Sample]], reference: ComputedReference
) -> list[GoldenPicture]:
    return [
        GoldenPicture(name, as_rgb(sample.image), reference.outputs(sample))
        for name, sample in chosen
    ]


def coreml_artifacts(bundle: Bundle, folder: Path) -> tuple[Artifact, ...]:
    """Return the files that an iPhone can run. Raise InputError when there is none."""
    artifacts = tuple(a for a in bundle.artifacts if a.format in COREML_FORMATS)
    if not artifacts:
        raise InputError(
            f"{folder} has no Core ML file, and the app runs nothing else: export it again with "
            "FORMATS=mlprogram."
        )
    return artifacts


def _require_for_the_app(bundle: Bundle, folder: Path) -> None:
    if bundle.contract.colour != "RGB":
        raise InputError(
            f"{folder} takes pictures of other channels ({bundle.contract.colour}), and the app "
            "gives RGB: it cannot run this network."
        )
    if bundle.specification.independent:
        raise InputError(
            f"{folder} has {bundle.specification.classes} independent channels, and the app paints "
            "one class for each pixel: it cannot show this network's masks."
        )


def _named(samples: Iterator[Sample]) -> Iterator[tuple[str, Sample]]:
    """Yield samples with names that are unique without the files' endings."""
    used: set[str] = set()
    for sample in samples:
        stem = Path(sample.name).stem
        name = stem if stem not in used else f"{stem}_{len(used)}"
        used.add(name)
        yield name, sample


def _write(
    bundle: Bundle, destination: Path, pictures: list[GoldenPicture], gate: DeviceGate
) -> tuple[Path, ...]:
    files = []
    for picture in pictures:
        file = destination / _file_name(bundle, picture)
        mask = file.with_suffix(".mask.png")
        _write_picture(picture.image, file)
        _write_mask(picture.outputs.mask, bundle.colours, mask)
        files += [file, mask]
    return (_write_document(bundle, destination, pictures, gate, bundle.name, None), *files)


def _write_document(
    bundle: Bundle,
    destination: Path,
    pictures: Sequence[GoldenPicture],
    gate: DeviceGate,
    name: str,
    compression: str | None,
) -> Path:
    """Write `<name>.golden.json`, for the model whose weights have the form `compression`."""
    scale = float(scale_of([picture.outputs for picture in pictures]).range[0])
    entries = [
        describe_sample(each.name, _file_name(bundle, each), each.image, each.outputs, gate, scale)
        for each in pictures
    ]
    size = (bundle.contract.width, bundle.contract.height)
    fixture = describe_fixture(
        bundle.name, bundle.source.sha256, bundle.labels, size, gate, entries
    ) | ({"compression": compression} if compression else {})
    document = destination / f"{name}.golden.json"
    text = json.dumps(fixture, ensure_ascii=False, separators=(",", ":"))
    document.write_text(text + "\n", encoding="utf-8")
    return document


def _file_name(bundle: Bundle, picture: GoldenPicture) -> str:
    return f"{bundle.name}.{picture.name}.png"


def _write_picture(image: RGBImage, path: Path) -> None:
    """Write a PNG that is tagged as sRGB, so that no device converts its colours."""
    facts = PngImagePlugin.PngInfo()
    facts.add(b"sRGB", b"\x00")
    Image.fromarray(image).save(path, pnginfo=facts)


def _write_mask(mask: NDArray[np.int32], colours: tuple[str, ...], path: Path) -> None:
    """Write a palette PNG whose values are the classes; their colours are opaque."""
    if len(colours) > 256:
        raise InputError(
            f"The masks of {len(colours)} classes cannot be pictures of a palette, which the app's "
            "fixtures are: it is for up to 256 classes."
        )
    palette_image(mask, [rgba(colour) for colour in colours]).save(path)
