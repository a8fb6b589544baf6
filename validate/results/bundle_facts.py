"""State the facts of a bundle, as sentences for people."""

from export.bundle import Bundle
from models.specification import InputContract


def facts_of(bundle: Bundle) -> dict[str, str]:
    """Return what the bundle holds and what it was made of: title → text, in reading order."""
    source = bundle.source
    facts = {
        "Network": bundle.specification.title,
        "Checkpoint": f"{source.file} ({source.container}), SHA-256 {source.sha256}",
        "Input": _input(bundle.contract),
        "Labels": f"{', '.join(bundle.labels)} (from: {bundle.labels_source})",
        "Activation": _activation(bundle),
        "Kept in float32": _pins(bundle),
        "Exported": bundle.created,
        "Licence": bundle.licence,
        "Author": bundle.author,
    }
    return {title: text for title, text in facts.items() if text}


def _activation(bundle: Bundle) -> str:
    several = ", each channel decided by itself" if bundle.specification.independent else ""
    return f"{bundle.activation}{several}"


def _pins(bundle: Bundle) -> str:
    plain = (each for each in bundle.artifacts if each.compression is None)
    pins = [pin for artifact in plain for pin in artifact.pins]
    return "; ".join(f"{pin.title}, since {pin.reason}" for pin in pins)


def _input(contract: InputContract) -> str:
    values = "divided by 255" if contract.is_image else "in [0, 1]"
    size = f"{contract.colour}, {contract.width} × {contract.height}, {values}"
    if contract.mean is None and contract.std is None:
        return f"{size}, no mean or standard deviation"
    return f"{size}, mean {_numbers(contract.mean)}, standard deviation {_numbers(contract.std)}"


def _numbers(values: tuple[float, ...] | None) -> str:
    return "none" if values is None else ", ".join(f"{value:g}" for value in values)
