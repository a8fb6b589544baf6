"""Write a file's drift as sentences, the same on the page, in Markdown and on a console."""

from validate.results.drift import NO_NUMBER, Departure, Drift, OperationDrift
from validate.results.numbers import NOTHING, percent

CONTRIBUTORS = 3
COLUMNS = ("operation", "PyTorch module", "own error", "rounding explains", "accumulated")


def sentence(drift: Drift) -> str:
    """Say where a file departs from PyTorch, or that it does not."""
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
    """Say how far the inputs of the departing operation are from PyTorch's, in the file's run."""
    told = [f"{each.name} ({place(each.module)}) {size(each.accumulated)}" for each in first.inputs]
    return f"Accumulated error of its inputs: {', '.join(told)}." if told else ""


def weights(first: Departure) -> str:
    """Say how far the weights of the departing operation are from PyTorch's."""
    told = [
        f"{each.parameter} {NOTHING if each.difference is None else size(each.difference)}"
        f" (rounding explains {size(each.explained)})"
        for each in first.weights
    ]
    return f"Largest difference of its weights: {', '.join(told)}." if told else ""


def mapped(drift: Drift) -> str:
    """Count the operations whose values PyTorch has too."""
    return f"{len(drift.rows)} of {drift.operations} operations have a counterpart in PyTorch"


def operation(row: OperationDrift) -> str:
    """Name an operation with its module and the operations measured together with it."""
    together = f", with {', '.join(row.joined)} before it" if row.joined else ""
    return f"{row.kind} {row.name} ({place(row.module)}{together})"


def worst(drift: Drift, count: int) -> tuple[tuple[str, ...], ...]:
    """Return cells of the `count` operations whose own error is the largest share of its limit."""
    rows = sorted(drift.rows, key=lambda row: -row.own / max(row.explained, 1e-30))[:count]
    return tuple(cells(row) for row in rows)


def point(row: OperationDrift) -> str:
    """Name one operation and its errors, for the one that is pointed at."""
    return (
        f"{operation(row)}: own error {size(row.own)}, rounding explains {size(row.explained)}, "
        f"accumulated error {size(row.accumulated)}"
    )


def cells(row: OperationDrift) -> tuple[str, ...]:
    """Return the cells of one operation, under COLUMNS."""
    errors = (row.own, row.explained, row.accumulated)
    return (f"{row.kind} {row.name}", place(row.module), *map(size, errors))


def place(module: str) -> str:
    """Return the module's name; operations around the network have none."""
    return module or "around the network"


def size(error: float) -> str:
    """Return an error with two digits: `210 %`, `0.031 %`."""
    return "no number" if error >= NO_NUMBER else percent(error)


def _last(drift: Drift) -> OperationDrift:
    """Return the operation that computes the logits: the last that belongs to a module."""
    named = [row for row in drift.rows if row.module]
    return (named or list(drift.rows))[-1]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:] if text.startswith(("Its ", "The ", "It ")) else text
