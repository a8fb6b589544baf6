"""Hold what a network needs of float16: operation by operation, on samples.

    largest float16                          65,504     beyond: infinity, and NaN soon after
    smallest with all its 11 bits            6.1e-5     below: fewer bits the smaller (subnormal)
    smallest at all                          5.96e-8    below half of it: zero

Measured on the float32 program, so that an overflow hides nothing after it. Whether small values
lose their signal shows in what rounding alone does to them: the RMS of the rounding errors as a
share of the RMS of the values is 2e-4 for values in range, whatever they are. Zeros (of a ReLU)
are exact and lose nothing. IEEE 754-2019, binary16.
"""

from dataclasses import dataclass, replace

LARGEST = 65_504.0
NORMAL = 2.0**-14
SMALLEST = 2.0**-24
SAFETY_FACTOR = 2.0
"""Values within this factor of the largest float16 are taken for beyond it: other photos reach
further than the samples do."""
LOST = 2.0**-9
"""Ten times what rounding errors are, as a share of the RMS of the values, in range."""


@dataclass(frozen=True)
class Magnitudes:
    """Hold the magnitudes of some values that are not zero; all 0 where every one is zero.

    `lost` is the RMS of the errors that rounding to float16 alone makes, as a share of the RMS of
    the values; what exceeds the range counts as `largest`, not here. `subnormal` is the share of
    the values below 6.1e-5.
    """

    largest: float
    smallest: float
    subnormal: float
    lost: float

    @property
    def overflows(self) -> bool:
        """Return whether float16 cannot hold the largest of them."""
        return self.largest > LARGEST

    @property
    def near(self) -> bool:
        """Return whether the largest is beyond float16's range, or within SAFETY_FACTOR of it."""
        return self.largest * SAFETY_FACTOR > LARGEST

    @property
    def loses(self) -> bool:
        """Return whether float16 does not hold enough of them."""
        return self.lost > LOST

    @property
    def fault(self) -> str | None:
        """Return what is wrong with them for float16, after "values"; None where it holds them."""
        if self.near:
            where = "beyond" if self.overflows else "close to"
            return f"reach {written(self.largest)}, {where} 65,504"
        if self.loses:
            below = "all" if self.subnormal == 1 else f"{min(100 * self.subnormal, 99.9):.1f} %"
            small = f"largest {written(self.largest)}, {below} below 6.1e-05"
            return f"are so small ({small}) that rounding changes them by {100 * self.lost:.1f} %"
        return None


@dataclass(frozen=True)
class OperationRange:
    """Hold the ranges of one operation: what it computes, and its weights where it has some.

    `name` is the operation's in the float32 program, `module` PyTorch's where that is known.
    """

    name: str
    type: str
    module: str | None
    values: Magnitudes
    weights: Magnitudes | None
    pinned: bool = False

    @property
    def title(self) -> str:
        """Return the name that says most, with the type: `decoder.blocks.2.conv1.1 (conv)`."""
        return f"{self.module or self.name} ({self.type})"

    @property
    def fault(self) -> str | None:
        """Return what float16 would do to it, as the end of a sentence; None where it holds it."""
        if self.values.fault:
            return f"its values {self.values.fault}"
        if self.weights and self.weights.fault:
            return f"its weights {self.weights.fault}"
        return None


@dataclass(frozen=True)
class Ranges:
    """Hold every operation of a program, in its order, on so many `pictures`.

    `weights` tells whether weights were judged too, which needs the float32 program.
    """

    pictures: int
    weights: bool
    operations: tuple[OperationRange, ...]

    @property
    def faulty(self) -> tuple[OperationRange, ...]:
        """Return the operations that are computed in float16 although it does not suit them."""
        return tuple(each for each in self.operations if each.fault and not each.pinned)


def all_pinned(ranges: Ranges) -> Ranges:
    """Return `ranges` of a program that is float32 throughout."""
    rows = (replace(each, pinned=True) for each in ranges.operations)
    return replace(ranges, operations=tuple(rows))


def written(magnitude: float) -> str:
    """Return a magnitude with two significant digits.

    >>> written(84_700), written(0.00123), written(1.2e-6)
    ('85,000', '0.0012', '1.2e-06')
    """
    rounded = float(f"{magnitude:.2g}")
    return f"{rounded:,.0f}" if 100 <= rounded < 1e9 else f"{rounded:.2g}"
