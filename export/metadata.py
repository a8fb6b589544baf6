"""Write what every exported file says of itself, so that one found alone explains itself.

The same keys go into Core ML's user-defined metadata, ONNX's `metadata_props` and an extra
file of the TorchScript archive. Values are text; structured ones are JSON.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

from export.bundle import Bundle, Compression, Pin
from models.labels import Labels
from models.specification import InputContract, Specification

PREFIX = "segport."
SCHEMA = "1"
PREVIEW_PREFIX = "com.apple.coreml.model.preview."
PREVIEW_TYPE = PREVIEW_PREFIX + "type"
PREVIEW_PARAMETERS = PREVIEW_PREFIX + "params"
# How the note on an ONNX file begins whose batch is 1.
FIXED_BATCH = "takes one picture at a time"
PACKAGES = (
    "torch",
    "segmentation-models-pytorch",
    "timm",
    "coremltools",
    "onnx",
    "onnxscript",
    "numpy",
)
RESIZE = "stretch to width x height, bilinear, half-pixel centres, no antialiasing"


def tool_versions() -> dict[str, str]:
    """Versions of the packages that shape an exported file."""
    return {name: version(name) for name in PACKAGES}


@dataclass(frozen=True)
class Description:
    """Hold the facts that metadata is made of."""

    specification: Specification
    contract: InputContract
    labels: Labels
    checkpoint: str
    sha256: str
    licence: str | None = None
    author: str | None = None
    versions: Mapping[str, str] = field(default_factory=tool_versions)

    @property
    def output_size(self) -> tuple[int, int]:
        """`(H, W)` of the logits and the mask that one picture gives."""
        size = self.contract.width, self.contract.height
        width, height = self.specification.output_size(*size)
        return height, width

    @property
    def mask_shape(self) -> tuple[int, ...]:
        """The shape of one picture's mask: `(H, W)`, or `(C, H, W)` of independent channels."""
        return self.specification.mask_shape(self.contract.width, self.contract.height)

    @property
    def sentence(self) -> str:
        """One sentence for a file's description field."""
        classes = ", ".join(self.labels.names)
        what = "independent channels" if self.specification.independent else "values"
        return f"Segmentation by {self.specification.title}; the mask's {what} are {classes}."


def description_of(bundle: Bundle) -> Description:
    """Return the facts that the metadata of every file of `bundle` was made of."""
    return Description(
        specification=bundle.specification,
        contract=bundle.contract,
        labels=Labels(bundle.labels, bundle.colours, bundle.labels_source),
        checkpoint=bundle.source.file,
        sha256=bundle.source.sha256,
        licence=bundle.licence,
        author=bundle.author,
        versions=bundle.versions,
    )


def metadata(description: Description) -> dict[str, str]:
    """Key → text, the same for every format."""
    contract, labels = description.contract, description.labels
    picture = {
        "name": "image",
        "width": contract.width,
        "height": contract.height,
        "colour": contract.colour,
        "range": [0, 1],
        "mean": contract.mean,
        "std": contract.std,
        "mean_and_std_applied_inside": contract.mean is not None or contract.std is not None,
        "resize": RESIZE,
    }
    facts: dict[str, object] = {
        "schema": SCHEMA,
        "network": description.specification.title,
        "classes": description.specification.classes,
        "activation": description.specification.activation,
        "labels": labels.names,
        "colours": labels.colours,
        "input": picture,
        "checkpoint": {"file": description.checkpoint, "sha256": description.sha256},
        "versions": description.versions,
    }
    if description.specification.independent:
        facts["mask"] = "(channels, height, width), 1 where a channel's logit is above 0"
    if description.licence is not None:
        facts["licence"] = description.licence
    if description.author is not None:
        facts["author"] = description.author
    return {PREFIX + key: _text(value) for key, value in facts.items()}


def preview(description: Description) -> dict[str, str]:
    """Return the two keys that make Xcode preview a segmentation model with one mask.

    The second is `…preview.params`; Xcode ignores `…preview.parameters`. There are none where
    the input is no image, or the mask has several channels.
    """
    labels = description.labels
    if not description.contract.is_image or description.specification.independent:
        return {}
    parameters = {"labels": labels.names, "colors": labels.colours}
    return {PREVIEW_TYPE: "imageSegmenter", PREVIEW_PARAMETERS: json.dumps(parameters)}


def feature_descriptions(description: Description) -> dict[str, str]:
    """Return the sentence that a Core ML file has for its input and for each of its outputs."""
    labels, specification = description.labels.names, description.specification
    height, width = description.output_size
    values = ", ".join(f"{value} {name}" for value, name in enumerate(labels))
    if specification.independent:
        mask = f"1 where a channel is there, (channel, {height}, {width})"
    else:
        mask = "The class of every pixel"
    return {
        "image": _picture(description.contract),
        "logits": (
            f"One score per class and pixel, (1, {specification.classes}, {height}, {width}); "
            f"{specification.activation} makes probabilities of them."
        ),
        "mask": f"{mask}: {values}.",
    }


def _picture(contract: InputContract) -> str:
    size = f"stretched to {contract.width} × {contract.height}"
    if contract.is_image:
        return f"{contract.colour[0].upper()}{contract.colour[1:]} picture, {size}."
    shape = ", ".join(map(str, contract.shape))
    return f"Picture ({contract.colour}), {size}, as ({shape}) in [0, 1]."


def pinned(pins: Sequence[Pin]) -> dict[str, str]:
    """The key that names the operations which a float16 program computes in float32."""
    names = [pin.title for pin in pins]
    return {PREFIX + "kept_in_float32": json.dumps(names)} if names else {}


def compressed(compression: Compression | None) -> dict[str, str]:
    """The key that names the form of a compressed file's weights."""
    return {PREFIX + "compression": compression.form} if compression else {}


def _text(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # A file's name may have bytes that are no text, which no format holds.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
