"""A model's user-defined metadata, read as the app reads it: DamageKit's ModelContract."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from damagekit.masks import parse_colour
from export.metadata import PREFIX, SCHEMA

RESIZE_RULES = {"stretch": "stretch", "letterbox": "letterbox", "centre crop": "centreCrop"}
"""How the sentence in `segport.input` begins → the fit."""


class ContractError(ValueError):
    """Metadata that cannot be used: `kind` is missing, malformed or contradictory."""

    def __init__(self, kind: str, *keys: str):
        super().__init__(f"{kind}: {', '.join(keys)}")
        self.kind = kind
        self.keys = tuple(PREFIX + key for key in keys)


@dataclass(frozen=True)
class Contract:
    """What the app takes from the metadata."""

    classes: int
    activation: str
    labels: tuple[str, ...]
    colours: tuple[tuple[int, int, int, int], ...]
    name: str
    width: int
    height: int
    fit: str
    network: str
    checkpoint: Mapping[str, str] | None


def read_contract(metadata: Mapping[str, str]) -> Contract:
    """Read the entries in a fixed order, so that the first error is the same everywhere.

    Raises ContractError.
    """
    if _text(metadata, "schema") != SCHEMA:
        raise ContractError("malformed", "schema")
    classes = _classes(metadata)
    activation = _text(metadata, "activation")
    if activation not in ("sigmoid", "softmax"):
        raise ContractError("malformed", "activation")
    labels = _names(metadata, "labels")
    colours = tuple(parse_colour(text) for text in _names(metadata, "colours"))
    picture = _picture(metadata)
    contract = Contract(
        classes=classes,
        activation=activation,
        labels=labels,
        colours=tuple(_required(colour, "colours") for colour in colours),
        name=picture["name"],
        width=picture["width"],
        height=picture["height"],
        fit=picture["fit"],
        network=metadata.get(f"{PREFIX}network", ""),
        checkpoint=_checkpoint(metadata),
    )
    _require_consistency(contract)
    return contract


def _classes(metadata: Mapping[str, str]) -> int:
    text = _text(metadata, "classes")
    if not text.isdecimal() or int(text) == 0:
        raise ContractError("malformed", "classes")
    return int(text)


def _names(metadata: Mapping[str, str], key: str) -> tuple[str, ...]:
    names = _decoded(metadata, key)
    if not isinstance(names, list) or not all(isinstance(n, str) and n for n in names):
        raise ContractError("malformed", key)
    return tuple(names)


def _picture(metadata: Mapping[str, str]) -> dict[str, Any]:
    picture = _decoded(metadata, "input")
    types = {
        "name": str,
        "width": int,
        "height": int,
        "colour": str,
        "resize": str,
        "mean_and_std_applied_inside": bool,
    }
    if not isinstance(picture, dict) or not all(
        isinstance(picture.get(key), kind) for key, kind in types.items()
    ):
        raise ContractError("malformed", "input")
    fit = next((f for r, f in RESIZE_RULES.items() if picture["resize"].startswith(r)), None)
    outside = not picture["mean_and_std_applied_inside"] and (
        picture.get("mean") is not None or picture.get("std") is not None
    )
    sound = picture["width"] > 0 and picture["height"] > 0 and picture["colour"] == "RGB"
    if fit is None or outside or not sound:
        raise ContractError("malformed", "input")
    return {**picture, "fit": fit}


def _checkpoint(metadata: Mapping[str, str]) -> Mapping[str, str] | None:
    if f"{PREFIX}checkpoint" not in metadata:
        return None
    facts = _decoded(metadata, "checkpoint")
    if not isinstance(facts, dict) or not all(
        isinstance(facts.get(key), str) for key in ("file", "sha256")
    ):
        raise ContractError("malformed", "checkpoint")
    return {"file": facts["file"], "sha256": facts["sha256"]}


def _require_consistency(contract: Contract) -> None:
    if contract.activation == "sigmoid" and contract.classes > 1:
        raise ContractError("malformed", "activation")  # the app paints one class for each pixel
    if contract.activation == "softmax" and contract.classes == 1:
        raise ContractError("contradictory", "classes", "activation")
    if len(contract.labels) != max(2, contract.classes):
        raise ContractError("contradictory", "classes", "labels")
    if len(contract.colours) != len(contract.labels):
        raise ContractError("contradictory", "labels", "colours")


def _text(metadata: Mapping[str, str], key: str) -> str:
    if PREFIX + key not in metadata:
        raise ContractError("missing", key)
    return metadata[PREFIX + key]


def _decoded(metadata: Mapping[str, str], key: str) -> Any:
    try:
        return json.loads(_text(metadata, key))
    except json.JSONDecodeError:
        raise ContractError("malformed", key) from None


def _required(colour: tuple[int, int, int, int] | None, key: str) -> tuple[int, int, int, int]:
    if colour is None:
        raise ContractError("malformed", key)
    return colour
