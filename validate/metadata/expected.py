"""The statements that each file of a bundle has to make, by its `bundle.json`."""

from export.bundle import Artifact, Bundle
from export.metadata import (
    FIXED_BATCH,
    compressed,
    description_of,
    feature_descriptions,
    metadata,
    pinned,
    preview,
)
from validate.metadata.content import array_text

KIND = {"mlprogram": "mlProgram", "neuralnetwork": "neuralNetwork"}


def expected_statements(bundle: Bundle, artifact: Artifact) -> dict[str, str]:
    """Return every statement that the file of `artifact` has to make."""
    described = metadata(description_of(bundle))
    common = {**described, "precision": artifact.precision, "target": artifact.target}
    if artifact.format == "torchscript":
        return common
    common |= interface(bundle, artifact)
    return common if artifact.format == "onnx" else {**common, **_coreml(bundle, artifact)}


def interface(bundle: Bundle, artifact: Artifact) -> dict[str, str]:
    """Return type and shape of what the file of `artifact` takes and gives, by name.

    As `input image`: `RGB image 64 × 64`, and `output logits`: `float32 [1, 2, 64, 64]`.
    """
    if artifact.format in KIND:
        return _coreml_interface(bundle)
    fixed = any(FIXED_BATCH in note for note in artifact.notes)
    batch = 1 if fixed else "any"
    return {
        "input image": array_text("float32", [batch, *bundle.contract.shape[1:]]),
        "output logits": array_text("float32", [batch, *bundle.shape[1:]]),
        "output mask": array_text("int32", [batch, *bundle.mask_shape]),
    }


def _coreml_interface(bundle: Bundle) -> dict[str, str]:
    contract = bundle.contract
    image = array_text("float32", contract.shape)
    if contract.is_image:
        colour = "GRAYSCALE" if contract.channels == 1 else "RGB"
        image = f"{colour} image {contract.width} × {contract.height}"
    return {
        "input image": image,
        "output logits": array_text("float32", bundle.shape),
        "output mask": array_text("int32", bundle.mask_shape),
    }


def _coreml(bundle: Bundle, artifact: Artifact) -> dict[str, str]:
    description = description_of(bundle)
    texts = feature_descriptions(description)
    statements = {
        **preview(description),
        **pinned(artifact.pins),
        **compressed(artifact.compression),
        **{f"description of {name}": text for name, text in texts.items()},
        "kind": KIND[artifact.format],
        "description": description.sentence,
        "author": bundle.author or "",
        "licence": bundle.licence or "",
        "scale of image": "1/255" if bundle.contract.is_image else "",
    }
    return {name: text for name, text in statements.items() if text}
