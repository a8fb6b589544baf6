"""Hold a JSON document against its schema, and say in one sentence what is wrong."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

from models.common.json_reader import read_json
from models.common.paths import require_no_pointer
from models.errors import InputError

MOST_ERRORS = 100
"""Errors of a document that are compared: one is told, and a file may hold millions."""


def read_valid(path: Path, schema: Path, what: str, remedy: str) -> dict[str, Any]:
    """Return the JSON object in `path`, which is `what` the schema file describes.

    `remedy` is the sentence that says what to do next. Raises InputError.
    """
    try:
        document: dict[str, Any] = read_json(path)
    except (OSError, ValueError) as error:
        require_no_pointer(path)
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read as {what}: {reason}. {remedy}") from None
    require_valid(document, schema, path, what, remedy)
    return document


def require_valid(document: object, schema: Path, path: Path, what: str, remedy: str) -> None:
    """Raise InputError unless `document`, read from `path`, is `what` the schema file describes."""
    from jsonschema import Draft202012Validator, validators

    # To JSON Schema, 32.0 is an integer; to what counts pixels it is none.
    whole = Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    checker = validators.extend(Draft202012Validator, type_checker=whole)  # type: ignore[no-untyped-call]
    errors = checker(json.loads(schema.read_text(encoding="utf-8"))).iter_errors(document)
    first = islice(errors, MOST_ERRORS)
    error = min(first, key=lambda e: list(map(str, e.path)), default=None)
    if error is not None:
        where = "/".join(map(str, error.path)) or "its top level"
        raise InputError(
            f"{path} does not hold {what} of this version: {error.message[:200]} "
            f"(at {where[:200]}). {remedy}"
        )
