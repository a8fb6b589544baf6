"""What following a file found, in sentences: the same on the page, in Markdown, on a console."""

from validate.results.drift import NO_NUMBER, Departure, Drift, OperationDrift
from validate.results.numbers import NOTHING, percent

CONTRIBUTORS = 3
COLUMNS = ("operation", "PyTorch module", "own error", "rounding explains", "accumulated")


def sentence(drift: Drift) -> str:
    """Where a file departs, or that it does not."""
    if not drift.rows:
        why = drift.failure or "PyTorch has none of its values"
        return f"{drift.path} could not be followed: {_lower(why)}."
    end = f" It could not be followed further: {_lower(drift.failure)}." if drift.failure else ""
    if drift.first is not None:
        row = drift.rows[drift.first.index]
        return (
            f"{drift.path} departs from PyTorch at {operation(row)}: {drift.first.cause}. "
            f"Its own error is {size(row.own)}, and rounding explains {size(row.explained)}.{end}"
        )
    largest = sorted(drift.rows, key=lambda row: -row.own)[:CONTRIBUTORS]
    named = ", ".join(f"{operation(row)} {size(row.own)}" for row in largest)
    return (
        f"No operation of {drift.path} departs beyond {drift.precision}'s rounding; the error "
        f"accumulates to {size(_last(drift).accumulated)} at the logits. The largest "
        f"contributors are {named}.{end}"
    )


def inputs(first: Departure) -> str:
    """How far what the departing operation was given is from PyTorch's, in the file's own run."""
    told = [f"{each.name} ({place(each.module)}) {size(each.accumulated)}" for each in first.inputs]
    return f"Accumulated error of its inputs: {', '.join(told)}." if told else ""


def weights(first: Departure) -> str:
    """How far its weights are from PyTorch's."""
    told = [
        f"{each.parameter} {NOTHING if each.difference is None else size(each.difference)}"
        f" (rounding explains {size(each.explained)})"
        for each in first.weights
    ]
    return f"Largest difference of its weights: {', '.join(told)}." if told else ""


def mapped(drift: Drift) -> str:
    """How much of the file PyTorch has values of."""
    return f"{len(drift.rows)} of {drift.operations} operations have a counterpart in PyTorch"


def operation(row: OperationDrift) -> str:
    """An operation with its module; with those that were measured together with it."""
    together = f", with {', '.join(row.joined)} before it" if row.joined else ""
    return f"{row.kind} {row.name} ({place(row.module)}{together})"


def worst(drift: Drift, count: int) -> tuple[tuple[str, ...], ...]:
    """Cells, under COLUMNS, of the operations whose own error takes most of what is allowed."""
    rows = sorted(drift.rows, key=lambda row: -row.own / max(row.explained, 1e-30))[:count]
    return tuple(cells(row) for row in rows)


def point(row: OperationDrift) -> str:
    """One operation and its errors, for whoever points at it."""
    return (
        f"{operation(row)}: own error {size(row.own)}, rounding explains {size(row.explained)}, "
        f"accumulated error {size(row.accumulated)}"
    )


def cells(row: OperationDrift) -> tuple[str, ...]:
    """One operation, under COLUMNS."""
    errors = (row.own, row.explained, row.accumulated)
    return (f"{row.kind} {row.name}", place(row.module), *map(size, errors))


def place(module: str) -> str:
    """The module's name, or what stands around the network."""
    return module or "around the network"


def size(error: float) -> str:
    """An error with two digits: `210 %`, `0.031 %`."""
    return "no number" if error >= NO_NUMBER else percent(error)


def _last(drift: Drift) -> OperationDrift:
    """The operation that computes the logits: the last that is no decision."""
    named = [row for row in drift.rows if row.module]
    return (named or list(drift.rows))[-1]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:] if text.startswith(("Its ", "The ", "It ")) else text
