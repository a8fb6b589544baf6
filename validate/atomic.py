"""Write files beside their places, and move them in when all of them are whole."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def placed(places: Sequence[Path]) -> Iterator[list[Path]]:
    """Yield a path beside each of `places`, which the block writes to.

    They take their places when the block ends well; when it raises, earlier files stay and
    nothing else is left. Raise OSError where a file cannot be moved.
    """
    # Nobody can have laid a link at a name that nobody knows.
    parts = [place.with_name(f".{secrets.token_hex(8)}.part") for place in places]
    try:
        yield parts
        for place, part in zip(places, parts, strict=True):
            part.chmod(place.stat().st_mode if place.exists() else 0o644)
        for place, part in zip(places, parts, strict=True):
            part.replace(place)
    finally:
        for part in parts:
            with suppress(OSError):
                part.unlink(missing_ok=True)
