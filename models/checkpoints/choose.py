"""Choose the network among the candidates of a file, or say why none can be chosen.

Without WEIGHTS=, raw weights win over averaged ones (EMA, SWA). Averaged weights alone are taken
with a note. Two candidates that could both be the network are never chosen between.
"""

from dataclasses import dataclass

from models.checkpoints.budget import Budget
from models.checkpoints.candidates import CandidateWeights
from models.checkpoints.pickles.records import StoredTensor
from models.checkpoints.split import split
from models.common.text import listed, shown
from models.errors import InputError

_LISTED = 12
"""Candidates named in a message."""


@dataclass(frozen=True)
class ChosenWeights:
    """Hold the chosen candidate, the reasons against the others, and the notes for the user."""

    taken: CandidateWeights
    ignored: dict[str, str]
    notes: tuple[str, ...]


def choose(
    file: str, found: list[CandidateWeights], weights: str | None, budget: Budget
) -> ChosenWeights:
    """Return the network's weights among `found`.

    Raises InputError, which lists the names, where there are none, several, or none called
    `weights`.

    >>> raw = CandidateWeights(("model",), {"conv.weight": 0}, "model", ema=False)
    >>> averaged = CandidateWeights(("model_ema",), {"conv.weight": 1}, "model_ema", ema=True)
    >>> found, budget = [raw, averaged], Budget(100)
    >>> [choose("net.pt", found, name, budget).taken.name for name in (None, "ema")]
    ['model', 'model_ema']
    """
    parts = [part for candidate in found for part in split(candidate, budget)]
    candidates = _without_repeats(parts)
    if not candidates:
        raise InputError(f"{file} holds no network weights: save model.state_dict() with torch.")
    matching = _matching(candidates, weights)
    if not matching:
        raise InputError(
            f"{file} has no entry {weights!r}: WEIGHTS= can name {_listed(candidates)}."
        )
    if len(matching) > 1:
        raise InputError(
            f"{file} holds several networks: {_listed(matching)}. Choose one with WEIGHTS=."
        )
    taken = matching[0]
    return ChosenWeights(taken, _reasons(candidates, taken), _notes(candidates, taken, weights))


def _matching(candidates: list[CandidateWeights], weights: str | None) -> list[CandidateWeights]:
    if weights is None:
        return [c for c in candidates if not c.ema] or candidates
    exact = [c for c in candidates if c.name == weights]
    if exact:
        return exact
    below = [c for c in candidates if c.name.startswith(f"{weights}/")]
    if below:
        return [c for c in below if not c.ema] or below
    return [c for c in candidates if c.ema] if weights == "ema" else []


def _without_repeats(candidates: list[CandidateWeights]) -> list[CandidateWeights]:
    """Drop candidates that repeat an earlier one: scripts store the same weights twice."""
    kept: dict[frozenset[tuple[str, object]], CandidateWeights] = {}
    for candidate in candidates:
        kept.setdefault(_content(candidate), candidate)
    return list(kept.values())


def _content(candidate: CandidateWeights) -> frozenset[tuple[str, object]]:
    """Return what is equal for two candidates of the same names and tensors."""
    return frozenset(
        (name, record if isinstance(record, StoredTensor) else id(record))
        for name, record in candidate.records.items()
    )


def _listed(candidates: list[CandidateWeights]) -> str:
    names = [f"'{shown(c.name)}'" if c.name else "the whole file ('')" for c in candidates]
    return listed(names, _LISTED)


def _reasons(candidates: list[CandidateWeights], taken: CandidateWeights) -> dict[str, str]:
    return {
        other.name: "EMA copy, not asked for" if other.ema else "another network, not asked for"
        for other in candidates
        if other is not taken
    }


def _notes(
    candidates: list[CandidateWeights], taken: CandidateWeights, weights: str | None
) -> tuple[str, ...]:
    raw = [c for c in candidates if not c.ema]
    if taken.ema and not raw and weights is None:
        return ("The averaged (EMA) weights were taken because the file has no others.",)
    if taken.ema:
        return (f"The averaged (EMA) weights '{shown(taken.name)}' were taken as asked.",)
    if len(raw) < len(candidates):
        return ("The file also has averaged (EMA) weights: WEIGHTS=ema takes them.",)
    return ()
