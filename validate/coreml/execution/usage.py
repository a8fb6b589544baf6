"""Count what a prediction uses of the stated limits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from models.errors import InputError
from validate.coreml.graph import Watch
from validate.coreml.limits import MAX_COMPUTED_ELEMENTS, MAX_ITERATIONS, MAX_LIVE_ELEMENTS


@dataclass(slots=True)
class Execution:
    """Count what one prediction has used of the stated limits, and hold who watches it."""

    watch: Watch | None = None
    check: Callable[[], None] = lambda: None
    live: int = 0
    computed: int = 0
    iterations: int = 0

    def enter_block(self) -> None:
        """Count one execution of a nested block."""
        self.iterations += 1
        if self.iterations > MAX_ITERATIONS:
            raise InputError(f"Its loops do not end within {MAX_ITERATIONS} iterations.")

    def keep(self, value: Any) -> None:
        """Count a value that came to life; `check` may stop the prediction here."""
        self.check()
        if isinstance(value, Tensor):
            self.live += value.numel()
            self.computed += value.numel()
            if self.live > MAX_LIVE_ELEMENTS:
                raise InputError(f"It holds more than {MAX_LIVE_ELEMENTS} elements at one time.")
            if self.computed > MAX_COMPUTED_ELEMENTS:
                raise InputError(f"It computes more than {MAX_COMPUTED_ELEMENTS} elements.")

    def release(self, value: Any) -> None:
        """Count a value that is let go."""
        if isinstance(value, Tensor):
            self.live -= value.numel()
