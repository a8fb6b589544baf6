"""Every sentence of a bundle's files that is wrong: `check_statements`."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from export.bundle import Artifact, Bundle
from models.common.json_reader import parse_json
from models.common.text import counted, visible
from models.deployable import Deployable
from validate.metadata.compare_weights import ExpectedWeights, altered_weights, foreign_weights
from validate.metadata.content import LONGEST_TEXT, FileContent, own_entries, read_content
from validate.metadata.expected import expected_statements
from validate.metadata.network_weights import applied_weights
from validate.results.parity import ArtifactResult

LONGEST = 160
"""How many characters of a statement a sentence repeats."""


@dataclass(frozen=True)
class Violation:
    """Hold a statement of the file at `path` that is wrong, as a sentence without a full stop."""

    path: str
    sentence: str


def check_statements(
    bundle: Bundle, folder: Path, deployable: Deployable | None
) -> tuple[Violation, ...]:
    """Return what the files of `bundle` in `folder` say of themselves that is not so.

    Their metadata, interface, target and precision are held against bundle.json, and their
    weights against those of `deployable`, where it is there: with a stored reference in its
    place, only the logits can tell a neighbouring checkpoint's file. No file is run.
    """
    applied = applied_weights(deployable, bundle.specification) if deployable else ()
    weights = ExpectedWeights(applied)
    return tuple(
        Violation(artifact.path, sentence)
        for artifact in bundle.artifacts
        for sentence in _about(artifact, bundle, folder, weights)
    )


def with_violations(
    results: Iterable[ArtifactResult], violations: Sequence[Violation]
) -> tuple[ArtifactResult, ...]:
    """Return `results`, of which those fail whose file says something that is not so."""
    return tuple(_with_sentences(result, violations) for result in results)


def _with_sentences(result: ArtifactResult, violations: Sequence[Violation]) -> ArtifactResult:
    wrong = tuple(each.sentence for each in violations if each.path == result.path)
    if not wrong:
        return result
    reasons = result.reasons if result.status == "failed" else ()
    return replace(result, status="failed", reasons=(*reasons, *wrong))


def _about(
    artifact: Artifact, bundle: Bundle, folder: Path, weights: ExpectedWeights
) -> Iterator[str]:
    path = artifact.path
    try:
        content = read_content(folder / path, artifact.format)
    except Exception as error:  # whatever its reader raises is a verdict on the file
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        yield f"what {path} says of itself cannot be read: {_short(reason).rstrip('.')}"
        return
    expected = expected_statements(bundle, artifact)
    if not own_entries(content.statements):
        yield f"{path} has no metadata, which every exported file has"
        metadata = own_entries(expected)
        expected = {name: text for name, text in expected.items() if name not in metadata}
    for name, wanted, said in _differences(expected, content.statements):
        told = f"says {_short(said)} for its {name}" if said else f"says nothing of its {name}"
        yield f"{path} {told}, and by bundle.json it is {_short(wanted) or 'not there'}"
    if artifact.precision == "float16" == content.statements["precision"]:
        yield from _wrong_pins(artifact, content)
    yield from _wrong_weights(artifact, content, weights)


def _differences(
    expected: Mapping[str, str], actual: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Yield name, expected and actual text of what differs; of structured ones, its part."""
    for name in sorted({*expected, *actual}):
        wanted, said = expected.get(name, ""), actual.get(name, "")
        if wanted == said:
            continue
        parts = _parsed(wanted), _parsed(said)
        if isinstance(parts[0], dict) and isinstance(parts[1], dict):
            for key in sorted({*parts[0], *parts[1]}):
                if parts[0].get(key) != parts[1].get(key):
                    yield f"{name} {key}", _part(parts[0], key), _part(parts[1], key)
        elif parts[0] is None or parts[0] != parts[1]:
            yield name, wanted, said


def _part(entries: dict[str, Any], key: str) -> str:
    return json.dumps(entries[key], ensure_ascii=False) if key in entries else ""


def _parsed(text: str) -> Any:
    try:
        return parse_json(text) if len(text) <= LONGEST_TEXT else None
    except ValueError:
        return None


def _wrong_pins(artifact: Artifact, content: FileContent) -> Iterator[str]:
    """Yield where a float16 program keeps other operations in float32 than bundle.json says."""
    pins = {pin.operation for pin in artifact.pins}
    wide = [name for name, kind in content.precisions.items() if kind == "float32"]
    unlisted = [name for name in wide if name not in pins]
    rounded = [
        pin.operation for pin in artifact.pins if content.precisions.get(pin.operation) == "float16"
    ]
    if unlisted:
        yield (
            f"{artifact.path} computes {counted(len(unlisted), 'operation')} in float32 "
            f"({_short(unlisted[0])} first), and by bundle.json they are in float16"
        )
    if rounded:
        yield (
            f"{artifact.path} computes {_short(rounded[0])} in float16, and by bundle.json it is "
            "kept in float32"
        )


def _wrong_weights(
    artifact: Artifact, content: FileContent, weights: ExpectedWeights
) -> Iterator[str]:
    yield from _wrong_compression(artifact, content, weights)
    foreign = foreign_weights(content.weights, weights)
    if foreign:
        first = foreign[0]
        others = f", and {len(foreign) - 1} more are like it" if len(foreign) > 1 else ""
        yield (
            f"{artifact.path} has weights of another checkpoint: {_short(first.operation)} is "
            f"{100 * first.distance:.2g} % away from {first.module or 'the weight'} in the "
            f"network{others}, and {artifact.precision} explains none of that"
        )


def _wrong_compression(
    artifact: Artifact, content: FileContent, weights: ExpectedWeights
) -> Iterator[str]:
    if bool(content.compressed) != (artifact.compression is not None):
        held = "compressed" if content.compressed else "no compressed"
        yield f"{artifact.path} holds {held} weights, and bundle.json says otherwise"
    altered = altered_weights(content.compressed, weights) if weights else ()
    if altered and artifact.compression:
        first, form = altered[0], artifact.compression.form
        others = f", and {len(altered) - 1} more are like it" if len(altered) > 1 else ""
        yield (
            f"{artifact.path} has weights that are not this network's as {form}: "
            f"{_short(first.operation)} is {100 * first.distance:.2g} % away from "
            f"{first.module or 'every weight of the network'}{others}"
        )


def _short(text: str) -> str:
    text = visible(" ".join(text.split()))
    return text if len(text) <= LONGEST else text[:LONGEST] + " …"
