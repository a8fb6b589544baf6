"""Print what is in a checkpoint and what would be exported; write nothing."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.common.console import print_line
from models.common.spelling import spelled, style
from models.common.text import listed
from models.custom.option import NamedModule
from models.labels import Labels
from models.load import Recognised, recognise_checkpoint, require_loadable
from models.specification import Choices, Specification

SHOWN = 10
"""Keys printed of each kind."""


def inspect(
    path: Path,
    console: Console,
    *,
    weights: str | None = None,
    choices: Choices | None = None,
    labels: Sequence[str] | None = None,
    module: NamedModule | None = None,
) -> None:
    """Print the facts of `path`; raises InputError where it could not be exported."""
    recognised = recognise_checkpoint(
        path, module=module, weights=weights, choices=choices, labels=labels
    )
    console.print(_facts(recognised))
    _print_findings(console, recognised)
    require_loadable(recognised)


def _print_findings(console: Console, recognised: Recognised) -> None:
    accounting = recognised.accounting
    _print_keys(console, "Renamed", (f"{new} ← {old}" for new, old in accounting.renamed.items()))
    _print_keys(console, "Ignored", _by_reason(accounting.ignored))
    _print_keys(console, "Missing", accounting.missing)
    _print_keys(console, "Unexpected", accounting.unexpected)
    _print_keys(
        console, "Wrong shape", (f"{k} {a} ≠ {b}" for k, (a, b) in accounting.wrong_shape.items())
    )
    _print_keys(console, "Noticed", (finding.sentence for finding in recognised.findings))
    _print_keys(console, "Notes", recognised.notes)


def _facts(recognised: Recognised) -> Table:
    checkpoint, specification = recognised.checkpoint, recognised.specification
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    rows = {
        "File": f"{checkpoint.path.name} ({checkpoint.size / 1e6:.1f} MB, {checkpoint.container})",
        "SHA-256": checkpoint.sha256,
        "Weights": _weights(recognised),
        "Network": specification.title,
        "Arguments": _arguments(specification),
        "Input": f"{specification.in_channels} channels, sides {_sides(specification)}",
        "Output": f"{specification.classes} channel(s), {specification.activation}"
        + (" (independent of each other)" if specification.independent else ""),
        "Labels": _labels(recognised.labels),
        "Keys": recognised.accounting.summary,
    }
    for name, value in rows.items():
        table.add_row(Text(name, style="bold"), Text(value, overflow="fold"))
    return table


def _weights(recognised: Recognised) -> str:
    where = recognised.checkpoint.entry or "the whole file"
    prefix = recognised.state.prefix
    casts = sorted(set(recognised.state.casts.values()))
    text = where + (f", below '{prefix}'" if prefix else "")
    return text + (f", stored as {', '.join(casts)}" if casts else "")


def _sides(specification: Specification) -> str:
    if specification.fixed_size is not None:
        width, height = specification.fixed_size
        return f"{width} × {height} alone"
    text = f"multiples of {specification.stride}"
    if not specification.margin:
        return text
    return (
        f"{text} plus {specification.offset}, {specification.smallest} at least; "
        f"the output lacks {specification.margin} pixels on each side"
    )


def _arguments(specification: Specification) -> str:
    parts = []
    for name, value in specification.arguments.items():
        if isinstance(value, Mapping):  # the paths of all layers are too long to print
            continue
        assumed = specification.assumed.get(name)
        parts.append(f"{name}={value!r}" + (f" ({assumed})" if assumed else ""))
    return spelled("\n".join(parts), style())


def _labels(labels: Labels) -> str:
    names = ", ".join(f"{value} {name}" for value, name in enumerate(labels.names))
    return f"{names} (from: {labels.source})"


def _by_reason(ignored: Mapping[str, str]) -> Iterable[str]:
    reasons: dict[str, list[str]] = {}
    for key, reason in ignored.items():
        reasons.setdefault(reason, []).append(key)
    for reason, keys in reasons.items():
        yield f"{listed(keys, 1)}: {reason}"


def _print_keys(console: Console, title: str, lines: Iterable[str]) -> None:
    told = list(lines)
    if not told:
        return
    console.print(Text(f"\n{title}", style="bold"))
    for line in told[:SHOWN]:
        print_line(console, f"  {spelled(line, style())}")
    if len(told) > SHOWN:
        console.print(f"  … and {len(told) - SHOWN} more")
