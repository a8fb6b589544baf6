"""Write figures as text, the same on the page, in Markdown and on a console."""

FORMATS = {
    "torchscript": "TorchScript",
    "mlprogram": "Core ML mlprogram",
    "neuralnetwork": "Core ML NeuralNetwork",
    "onnx": "ONNX",
}

NOTHING = "–"


def size(count: int) -> str:
    """Return bytes as MB (10⁶), or kB below one.

    >>> size(48_900_000)
    '48.9 MB'
    """
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"


def decibels(value: float | None) -> str:
    """Return a ratio in dB; None means that there is no error."""
    return "no error" if value is None else f"{value:.1f} dB"


def percent(value: float) -> str:
    """Return a small share of the logit range with two significant digits.

    >>> percent(0.00123)
    '0.12 %'
    """
    return f"{float(f'{value * 100:.2g}'):.10f}".rstrip("0").rstrip(".") + " %"


def share(value: float) -> str:
    """Return a share near one, never rounded up to all of it.

    >>> share(0.999998)
    '99.9998 %'
    """
    return "100 %" if value == 1 else f"{value * 100:.{_digits(value, 4) - 2}f} %"


def _digits(value: float, least: int) -> int:
    """Return how many digits `value`, between 0 and 1, needs not to be rounded up to 1."""
    return next((n for n in range(least, 9) if value == 1 or round(value, n) < 1), 9)
