"""Read the cases whose expectation cannot apply to the runtime, by name, each with its reason."""

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("exceptions.toml")


@dataclass(frozen=True, slots=True)
class Exemption:
    """Hold the cases that are exempt for one reason; a pattern has the wildcard * alone."""

    patterns: tuple[str, ...]
    reason: str

    def covers(self, case: str) -> bool:
        """Tell whether a case is one of these."""
        return any(fnmatchcase(case, pattern.replace("[", "[[]")) for pattern in self.patterns)


@cache
def exemptions() -> tuple[Exemption, ...]:
    """Read the list that comes with the package."""
    entries = tomllib.loads(_FILE.read_text(encoding="utf-8"))["exemption"]
    return tuple(Exemption(tuple(entry["cases"]), entry["reason"]) for entry in entries)


def reason_for(case: str) -> str | None:
    """Return why a case does not apply; None where it does."""
    for exemption in exemptions():
        if exemption.covers(case):
            return exemption.reason
    return None
