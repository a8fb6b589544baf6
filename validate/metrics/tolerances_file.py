"""Tolerances from a file, in the place of the table's.

    [mlprogram.float16]
    max_error = 0.02
    min_psnr = 55.0
    reason = "Our report to the customer names 2 %."

What a row does not say stays as the table has it; why it was changed has to be said.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from export.schema import require_valid
from models.common.hashing import sha256_of
from models.common.paths import read_bytes
from models.errors import InputError
from validate.metrics.tolerances import TABLE, Row, Tolerance, TolerancesFile

SCHEMA_FILE = Path(__file__).with_name("tolerances.schema.json")
MOST_BYTES = 1 << 14
REMEDY = "See docs/parity.md for what it may hold."


@dataclass(frozen=True)
class GivenTolerances:
    """The rows of a file; of no file, no rows."""

    source: TolerancesFile | None = None
    rows: Mapping[Row, Tolerance] = field(default_factory=dict)


def read_tolerances(path: Path | None) -> GivenTolerances:
    """Read a TOML file of tolerances; None gives no rows.

    Raises InputError when it cannot be read, names a row or a limit that there is not, or a
    value that is no limit.
    """
    if path is None:
        return GivenTolerances()
    try:
        text = read_bytes(path, MOST_BYTES).decode("utf-8")
        document = tomllib.loads(text, parse_float=_finite)
        require_valid(document, SCHEMA_FILE, path, "tolerances", REMEDY)
    except RecursionError:
        raise InputError(f"{path} is nested too deeply for tolerances. {REMEDY}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as tolerances: {error}. {REMEDY}") from None
    source = TolerancesFile(path.name, sha256_of(path))
    return GivenTolerances(source, dict(_rows(document)))


def _finite(text: str) -> float:
    """TOML has a NaN, which no minimum and no maximum of a schema refuses."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no limit")
    return value


def _rows(document: Mapping[str, Mapping[str, Any]]) -> list[tuple[Row, Tolerance]]:
    return [
        ((format, arithmetic), replace(TABLE[format, arithmetic], **limits))
        for format, rows in document.items()
        for arithmetic, limits in rows.items()
    ]
