"""Keep the outcome of each case in a file: one line of JSON a case, written as it ends."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Verdict = Literal["passed", "relaxed", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Hold how one case ended.

    Attributes:
        case: its name, "iOS14/test_conv.py::TestConv::test_conv[…]" say.
        verdict: "passed", "relaxed" (passed, but only at the tolerance of FP16), "failed" or
            "skipped".
        message: the error's first words, or the reason for skipping; empty where it passed.
        seconds: how long it took.
    """

    case: str
    verdict: Verdict
    message: str
    seconds: float

    @property
    def file(self) -> str:
        """Return the test file that the case is in."""
        return self.case.partition("::")[0]

    def line(self) -> str:
        """Return it as a line of JSON."""
        return json.dumps(asdict(self)) + "\n"


def read(path: Path) -> Iterator[Outcome]:
    """Read the outcomes that a run wrote down; a last line that is not whole is left out."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                yield Outcome(**json.loads(line))
