"""Write text for a terminal and for sentences: no control characters, plurals, lists cut short."""

import io
import re
import sys
import textwrap
from collections.abc import Sequence

# C0 and C1 controls but for tab and line break, what makes text run backwards, breaks lines or is
# not to be seen, and halves of surrogate pairs, which no file can hold.
OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff]"
)


def visible(text: str) -> str:
    r"""Return `text` with its control characters written out.

    >>> visible("\x1b[31mred.jpg")
    '\\x1b[31mred.jpg'
    """
    return OBEYED.sub(lambda found: ascii(found[0])[1:-1], text)


def shown(text: object, longest: int = 120) -> str:
    r"""Return text from a file as a message may quote it: cut, and without any control character.

    >>> shown("\x1b[31mred\u200b"), shown("a" * 500, 3)
    ('\\x1b[31mred\\u200b', 'aaa…')
    """
    whole = str(text)
    written = (c if c.isprintable() else ascii(c)[1:-1] for c in whole[:longest])
    return "".join(written) + ("…" if len(whole) > longest else "")


def write_out_what_cannot_be_encoded() -> None:
    r"""Have standard output show what its encoding lacks as `\u2713`: text, or bytes of names."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def counted(number: int, noun: str) -> str:
    """Return `number` and `noun`, in its plural where it needs one.

    >>> counted(1, "picture"), counted(2000, "picture")
    ('1 picture', '2,000 pictures')
    """
    return f"1 {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(names: Sequence[str], most: int) -> str:
    """Return the first `most` of `names` with commas between them, and how many more there are.

    >>> listed(["a", "b", "c"], 2), listed(["a", "b"], 2)
    ('a, b and 1 more', 'a, b')
    """
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")


def first_line(error: BaseException, longest: int = 200) -> str:
    r"""Return the first line of an error's text that is not blank, or else its class's name.

    It is cut after `longest` characters.

    >>> first_line(ValueError("\n  no such axis \nTraceback …")), first_line(KeyError())
    ('no such axis', 'KeyError')
    """
    lines = (line.strip() for line in str(error).splitlines())
    return next(filter(None, lines), type(error).__name__)[:longest]


def wrapped(text: str, width: int) -> list[str]:
    """Return the lines of `text`, broken between words to `width` characters, the later indented.

    A longer word stays whole, so that a path can be copied, and a figure with its unit.

    >>> wrapped("  a path: /as/long/as/this 5 %", 20)
    ['  a path:', '    /as/long/as/this', '    5 %']
    """
    indent = " " * (len(text) - len(text.lstrip(" ")) + 2)
    glued = re.sub(r"(?<=\d) (?=[%×]|[kMG]?B\b|dB\b|m?s\b)", "\xa0", text)
    lines = textwrap.wrap(
        glued,
        width,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\xa0", " ") for line in lines]


def one_line(text: str) -> str:
    r"""Return `text` with its control characters, tabs and line breaks written out.

    >>> one_line("a\nb")
    'a\\nb'
    """
    return visible(text).replace("\n", r"\n").replace("\t", r"\t")
