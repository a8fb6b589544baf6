"""The examples in docstrings give what they say they give."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest
from small_networks import ROOT

PACKAGES = ("models", "export", "validate", "bench", "segport")
WITH_EXAMPLES = sorted(
    path.relative_to(ROOT)
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=str)
def test_examples_in_docstrings_hold(path: Path) -> None:
    module = import_module(".".join(path.with_suffix("").parts))
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
