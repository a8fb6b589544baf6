"""Tell apart several networks that share one state dict, each under its own prefix."""

from collections import Counter
from dataclasses import replace

from models.checkpoints.budget import CHARACTERS, Budget
from models.checkpoints.candidates import CandidateWeights
from models.checkpoints.known_names import ROLES, buffer_reason, is_ema
from models.common.text import shown

_ALIKE = 10
"""Keys that equal groups must have to be networks: fewer may be a coincidence."""

Groups = dict[str, list[str]]


def split(candidate: CandidateWeights, budget: Budget) -> list[CandidateWeights]:
    """Return the networks in one state dict, `candidate` itself if there is only one.

    Two rules tell networks from parts of one network, below the prefix that all keys share:
    a group under an EMA word whose names repeat those of the rest is averaged weights; and groups
    are networks of their own if all have the same names, if each has an `encoder.` and a
    `decoder.`, or if they are called after their roles (student and teacher, generator and
    discriminator).

    >>> keys = [f"{net}.{part}.weight" for net in ("student", "teacher") for part in ("a", "b")]
    >>> whole = CandidateWeights((), dict.fromkeys(keys), "", False)
    >>> [part.name for part in split(whole, Budget(100))]
    ['student', 'teacher']
    """
    base, groups = _branches(list(candidate.records), budget)
    averaged = dict.fromkeys(_copies(groups))
    raw: Groups = {name: keys for name, keys in groups.items() if name not in averaged}
    networks = dict.fromkeys(_separate_networks(base, raw))
    if not averaged and not networks:
        counters = [key for key in candidate.records if key.endswith("n_averaged")]
        inherited = any(is_ema(part) for part in base.split(".")) or any(
            base.startswith(key.removesuffix("n_averaged")) for key in counters
        )
        return [replace(candidate, ema=candidate.ema or inherited)]
    parts = [_part(candidate, base + name, groups[name], True) for name in averaged]
    shared = [key for name, keys in raw.items() if name not in networks for key in keys]
    for name in networks:
        keys = budget.visited(raw[name] + shared)
        parts.append(_part(candidate, base + name, keys, False))
    if not networks:
        kept = _part(candidate, base.rstrip("."), shared, candidate.ema)
        parts.append(replace(kept, path=candidate.path, label=candidate.label))
    return parts


def _branches(keys: list[str], budget: Budget) -> tuple[str, Groups]:
    """Return the prefix all network keys share, and groups of keys by the component behind it."""
    base, length = "", sum(map(len, keys))
    while True:
        budget.visited(keys)
        budget.spend(CHARACTERS, length)
        groups: Groups = {}
        for key in keys:
            if key.startswith(base):
                groups.setdefault(key[len(base) :].partition(".")[0], []).append(key)
        networks = {n: k for n, k in groups.items() if not buffer_reason(k[0][len(base) :])}
        only = next(iter(networks), "")
        if len(networks) != 1 or networks[only] == [base + only]:
            return base, groups
        base += f"{only}."


def _part(whole: CandidateWeights, prefix: str, keys: list[str], ema: bool) -> CandidateWeights:
    path = (*whole.path, prefix)
    records = {key: whole.records[key] for key in keys}
    label = f"{whole.label}/{shown(prefix)}" if whole.label else shown(prefix)
    return replace(whole, path=path, records=records, label=label, ema=ema)


def _tails(keys: list[str]) -> set[str]:
    return {".".join(key.rsplit(".", 3)[-3:]) for key in keys}


def _copies(groups: Groups) -> list[str]:
    """Return the groups under an EMA word of which most names are those of other groups too."""
    tails = {name: _tails(keys) for name, keys in groups.items()}
    holders = Counter(tail for own in tails.values() for tail in own)
    return [
        name
        for name, own in tails.items()
        if is_ema(name)
        and len(groups[name]) > 1
        and 2 * sum(holders[tail] > 1 for tail in own) > len(own)
    ]


def _separate_networks(base: str, groups: Groups) -> list[str]:
    """Return the names of the groups that are whole networks, if there is more than one."""
    inside = {
        name: frozenset(key[len(base) + len(name) + 1 :] for key in keys)
        for name, keys in groups.items()
        if not buffer_reason(keys[0][len(base) :])
    }
    roles = [name for name in inside if name.lower() in ROLES]
    complete = [name for name, keys in inside.items() if _has_both_halves(keys)]
    if len(roles) > 1 or len(complete) > 1:
        return roles if len(roles) > 1 else complete
    alike = len(inside) > 1 and len(set(inside.values())) == 1
    return list(inside) if alike and len(next(iter(inside.values()))) >= _ALIKE else []


def _has_both_halves(keys: frozenset[str]) -> bool:
    return {"encoder", "decoder"} <= {part for key in keys for part in key.split(".", 3)[:3]}
