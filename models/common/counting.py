"""How many there are of something, in words."""


def counted(number: int, noun: str) -> str:
    """`number` and `noun`, in its plural where it needs one.

    >>> counted(1, "picture"), counted(2000, "picture")
    ('1 picture', '2,000 pictures')
    """
    return f"1 {noun}" if number == 1 else f"{number:,} {noun}s"
