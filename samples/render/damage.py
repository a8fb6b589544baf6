"""The kinds of damage, and all the damage of a scene together.

Each kind returns `Marks`: relief that bends the reflections, paint that is gone, dark gaps,
bright torn edges, an opening, and the region that the true mask counts as breakage.
"""

from __future__ import annotations

from collections.abc import Callable

from samples.render.fractures import crack, hole
from samples.render.marks import Damage, Marks, unmarked
from samples.render.scuffs import dent, scratch
from samples.render.view import View

KINDS: dict[str, Callable[[Damage, View], Marks]] = {
    "dent": dent,
    "scratch": scratch,
    "crack": crack,
    "hole": hole,
}


def marks(damages: tuple[Damage, ...], view: View) -> Marks:
    """All of `damages` as seen in `view`."""
    total = unmarked(view)
    for damage in damages:
        total = total.merge(KINDS[damage.kind](damage, view))
    return total
