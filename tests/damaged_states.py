"""State dicts with keys removed, renamed and reshaped, and what recognition answers to them."""

import random
import re
from collections.abc import Iterator
from pathlib import Path

from models.errors import InputError
from models.families.family import Family
from models.families.recognise import recognise
from models.meta_device import built
from models.specification import Choices, Specification

Shapes = dict[str, tuple[int, ...]]
PATH = Path("net.pt")
COUNTER = "num_batches_tracked"
BUILT: dict[str, Shapes] = {}


def answer(given: Shapes, choices: Choices | None = None) -> Specification | None:
    """What `given` is taken for; None where it is refused, by recognition or by its keys."""
    try:
        family, found = recognise(PATH, given, choices or Choices())
        network = _shapes(family, found)
    except InputError:
        return None
    names = family.renamed(given, found)
    wanted = {names.get(key, key): shape for key, shape in network.items()}
    rest = {k for k in given.keys() - wanted.keys() if not k.endswith(COUNTER)}
    fits = all(given.get(key) == shape for key, shape in wanted.items())
    return found if fits and all(map(family.ignored, rest)) else None


def _shapes(family: Family, specification: Specification) -> Shapes:
    """The shapes of the network, which is built once."""
    key = repr(specification)
    if key not in BUILT:
        network = built(lambda: family.build(specification)).state_dict()
        BUILT[key] = {k: tuple(t.shape) for k, t in network.items() if not k.endswith(COUNTER)}
    return BUILT[key]


def one_tensor_damaged(given: Shapes, most: int = 12) -> Iterator[Shapes]:
    """`given` with each of some tensors missing, called otherwise, or wider."""
    real = [key for key in given if not key.endswith(COUNTER)]
    for key in real[:: max(1, len(real) // most)]:
        rest = {k: shape for k, shape in given.items() if k != key}
        first, *others = given[key]
        yield from (rest, {**rest, f"odd_{key}": given[key]}, {**rest, key: (first + 1, *others)})


def part_damaged(given: Shapes, seed: int) -> Shapes:
    """`given` without a part, with a part of the next number, or with one width everywhere wider.

    The last may well be a network of the same family.
    """
    chance = random.Random(seed)
    real = [key for key in given if not key.endswith(COUNTER)]
    parts = {".".join(key.split(".")[:n]) for key in real for n in (1, 2, 3) if key.count(".") >= n}
    part = chance.choice(sorted(parts)) + "."
    match seed % 3:
        case 0:
            return {key: shape for key, shape in given.items() if not key.startswith(part)}
        case 1:
            after = re.sub(r"\d+(?=\D*$)", lambda found: str(int(found[0]) + 1), part)
            after = after if after != part else f"odd_{part}"
            return {key.replace(part, after, 1): shape for key, shape in given.items()}
        case _:
            width = chance.choice(sorted({shape[0] for shape in given.values() if shape}))
            wider = {width: width + 8}
            return {k: tuple(wider.get(n, n) for n in shape) for k, shape in given.items()}
