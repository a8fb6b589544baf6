"""Hold a JSON document against its schema, and say in one sentence what is wrong."""

import json
from pathlib import Path

from models.errors import InputError


def require_valid(document: object, schema: Path, path: Path, what: str, remedy: str) -> None:
    """Raise InputError unless `document`, read from `path`, is `what` the schema file describes.

    `remedy` is the sentence that says what to do next.
    """
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))
    error = min(validator.iter_errors(document), key=lambda e: list(map(str, e.path)), default=None)
    if error is not None:
        where = "/".join(map(str, error.path)) or "its top level"
        raise InputError(
            f"{path} does not hold {what} of this version: {error.message[:200]} (at {where}). "
            f"{remedy}"
        )
