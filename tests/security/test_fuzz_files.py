"""Some of the files that `make fuzz` reads by the thousand: each is read, or refused."""

import importlib.util

import pytest
from fuzz import fuzz

KINDS = {"fuzz_bundles": 150, "fuzz_checkpoints": 150}
"""Number of cases of each kind; packages have a test of their own in tests/coreml."""


@pytest.mark.parametrize("kind", KINDS)
def test_files_that_are_wrong_at_random_are_read_or_refused(kind, tmp_path):
    if importlib.util.find_spec(kind) is None:
        pytest.skip(f"there is no {kind}")
    told = list(fuzz(kind, (f"0-{number}" for number in range(KINDS[kind])), tmp_path))
    assert not [each for each in told if each]


def test_a_file_that_is_not_refused_is_told_and_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("fuzz.MOST_MEMORY", 0)
    (told,) = fuzz("fuzz_bundles", ["0-0"], tmp_path)
    assert told.startswith("fuzz_bundles 0-0: ") and "MiB" in told
    assert any((tmp_path / "fuzz_bundles-0-0").iterdir())
