"""Account for every key: loaded, renamed, ignored, missing, unexpected or of a wrong shape."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from models.checkpoints import StateDict
from models.common.text import listed, shown
from models.errors import InputError
from models.families.family import Family
from models.families.hints import likeliest
from models.specification import Specification

Shape = tuple[int, ...]
COUNTER = "num_batches_tracked"
COUNTER_REASON = "batch norm's training counter, which inference does not use"
LISTED = 6
"""Keys named in a message; `inspect` lists them all."""


@dataclass(frozen=True)
class Accounting:
    """Hold what became of every key of a checkpoint and of a network.

    `renamed` maps a network's key to the checkpoint's, `ignored` a checkpoint's key to the
    reason, `wrong_shape` a network's key to the shapes (in the checkpoint, in the network).
    """

    loaded: tuple[str, ...]
    renamed: Mapping[str, str]
    ignored: Mapping[str, str]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    wrong_shape: Mapping[str, tuple[Shape, Shape]]

    @property
    def complete(self) -> bool:
        """Return whether every tensor that the network needs is there, and nothing is left over."""
        return not (self.missing or self.unexpected or self.wrong_shape)

    @property
    def summary(self) -> str:
        """Return how many keys went which way, in words."""
        counts = {
            "loaded": self.loaded,
            "renamed": self.renamed,
            "ignored": self.ignored,
            "missing": self.missing,
            "unexpected": self.unexpected,
            "of wrong shape": self.wrong_shape,
        }
        return ", ".join(f"{len(keys)} {name}" for name, keys in counts.items() if keys)


def account(
    state: StateDict, network: Mapping[str, Shape], family: Family, specification: Specification
) -> Accounting:
    """Compare `state` with the `network`'s keys and shapes, key by key."""
    wanted = {key for key in network if not key.endswith(COUNTER)}
    sources = family.renamed(state.tensors, specification)
    source_of = {key: sources.get(key, key) for key in wanted}
    there = {key for key in wanted if source_of[key] in state.tensors}
    shapes = {key: tuple(state.tensors[source_of[key]].shape) for key in there}
    wrong = {key: (shapes[key], network[key]) for key in there if shapes[key] != network[key]}
    leftover = state.tensors.keys() - {source_of[key] for key in there}
    ignored = {state.origin[key]: _reason(key, family) for key in leftover}
    ignored |= dict(state.outside)
    loaded = sorted(there - wrong.keys())
    return Accounting(
        loaded=tuple(loaded),
        renamed={k: o for k in loaded if (o := state.origin[source_of[k]]) != k},
        ignored={key: reason for key, reason in sorted(ignored.items()) if reason},
        missing=tuple(sorted(wanted - there)),
        unexpected=tuple(sorted(key for key, reason in ignored.items() if not reason)),
        wrong_shape=dict(sorted(wrong.items())),
    )


def require_complete(
    accounting: Accounting, path: Path, title: str, remedy: str | None = None
) -> None:
    """Raise InputError, with sorted lists and the likeliest cause, unless every key fits.

    `remedy` takes the place of the cause where the network is not one that Segport builds.
    """
    if accounting.complete:
        return
    parts = [
        _listed("missing", list(accounting.missing)),
        _listed("unexpected", [shown(key) for key in accounting.unexpected]),
        _listed(
            "of wrong shape",
            [f"{k} {_x(a)} instead of {_x(b)}" for k, (a, b) in accounting.wrong_shape.items()],
        ),
    ]
    what = "; ".join(filter(None, parts))
    raise InputError(f"{path.name} does not fit {title}: {what}. {remedy or _cause(accounting)}")


def _reason(key: str, family: Family) -> str:
    return COUNTER_REASON if key.endswith(COUNTER) else family.ignored(key) or ""


def _listed(what: str, keys: list[str]) -> str:
    if not keys:
        return ""
    return f"{len(keys)} {what} ({listed(keys, LISTED)})"


def _x(shape: Shape) -> str:
    return "×".join(map(str, shape)) or "scalar"


def _cause(accounting: Accounting) -> str:
    """Return the likeliest cause, and what to do next."""
    if any("parametrizations." in key or key.endswith("_orig") for key in accounting.unexpected):
        return "The weights are still parametrised: bake them in before saving the state dict."
    known = likeliest(accounting.unexpected)
    if known:
        return f"The unexpected ones look like {known}."
    if accounting.unexpected and not accounting.missing and not accounting.wrong_shape:
        first = accounting.unexpected[0].rsplit(".", 1)[0]
        return (
            f"The network was extended beyond smp's ({first}), so exporting it without these "
            "weights would change what it computes."
        )
    if accounting.missing and not accounting.unexpected and not accounting.wrong_shape:
        return "The state dict was saved incompletely: save all of model.state_dict()."
    return "ENCODER= settles which encoder it is, if another was meant."
