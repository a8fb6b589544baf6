"""Write text for a terminal and for sentences: no control characters, plurals, lists cut short."""

import io
import re
import sys

# C0 and C1 controls but for tab and line break, and what makes text run backwards.
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    r"""`text` with its control characters written out.

    >>> visible("\x1b[31mred.jpg")
    '\\x1b[31mred.jpg'
    """
    return OBEYED.sub(lambda found: ascii(found[0])[1:-1], text)


def write_out_what_cannot_be_encoded() -> None:
    r"""Have standard output show what its encoding lacks as `\u2713`: text, or bytes of names."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def counted(number: int, noun: str) -> str:
    """`number` and `noun`, in its plural where it needs one.

    >>> counted(1, "picture"), counted(2000, "picture")
    ('1 picture', '2,000 pictures')
    """
    return f"1 {noun}" if number == 1 else f"{number:,} {noun}s"
