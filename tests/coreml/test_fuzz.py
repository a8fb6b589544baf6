"""A few hundred of the mutations that `fuzz_packages.py` makes by the thousand."""

from fuzz_packages import fuzz
from fuzz_seeds import save_seeds


def test_mutated_packages_give_only_results_or_clear_errors(tmp_path):
    counts = fuzz(save_seeds(tmp_path), 300, seed=0, folder=tmp_path)
    assert set(counts) == {"computed", "refused"}
    assert counts["computed"] > 10
