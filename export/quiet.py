"""Keep the converters' own chatter off the user's console."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Swallow warnings, log lines, prints and progress bars of the block; errors still rise.

    coremltools warns on Linux that it cannot predict and draws bars on stderr; torch's ONNX
    exporter prints its steps, and logs pages of errors for each way that it tries in vain. None of
    it is news to who runs an export: what stops one is raised.
    """
    level = logging.root.manager.disable
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(level)
