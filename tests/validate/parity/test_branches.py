"""The branches of a U-Net++ with deep supervision: what each gives, and where it is told."""

from pathlib import Path

import numpy as np
import pytest
import torch
from seeded_states import loaded, nested_state
from test_main_job import export

from models.deployable import Deployable
from models.specification import InputContract
from validate.parity.branches import PICTURES, compared_branches
from validate.report.json_file import read_results
from validate.runtimes.eager import Eager

CONTRACT = InputContract(64, 48)


def pictures(count):
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(count)]


def deployable(folder, heads=3, **choices):
    network, _ = loaded(nested_state(heads), folder, **choices)
    return Deployable(network, CONTRACT)


@pytest.mark.parametrize("exported", ["1", "3", "mean"])
def test_every_branch_is_what_it_gives_when_it_is_exported(tmp_path, exported):
    found = compared_branches(deployable(tmp_path, branch=exported), pictures(PICTURES + 2))
    assert (found.deepest, found.pictures) == ("3", PICTURES)
    assert [each.branch for each in found.results] == ["1", "2", "3", "mean"]
    assert [each.branch for each in found.results if each.exported] == [exported]
    whole = Eager(deployable(tmp_path, branch="3"))
    for each in found.results:
        alone = Eager(deployable(tmp_path, branch=each.branch))
        same = [whole.run(p).mask == alone.run(p).mask for p in pictures(PICTURES)]
        assert each.agreement == pytest.approx(np.mean(same))
        assert each.milliseconds > 0
    agreements = {each.branch: each.agreement for each in found.results}
    assert agreements["3"] == 1
    assert agreements["1"] < 1  # else nothing is compared


def test_asking_leaves_the_network_as_it_was(tmp_path):
    made = deployable(tmp_path, branch="2")
    before = Eager(made).run(pictures(1)[0]).logits
    compared_branches(made, pictures(1))
    assert np.array_equal(Eager(made).run(pictures(1)[0]).logits, before)


def test_a_network_without_branches_has_none(tmp_path, make_network):
    assert compared_branches(deployable(tmp_path, heads=1), pictures(1)) is None
    assert compared_branches(Deployable(make_network(), CONTRACT), pictures(1)) is None
    assert compared_branches(None, pictures(1)) is None


def test_the_report_tells_it(tmp_path: Path):
    path = tmp_path / "net.pt"
    torch.save(nested_state(3), path)
    assert export(path, "--branch", "2") == 0
    folder = tmp_path / "build" / "net"
    branches = read_results(folder / "parity.json").branches
    assert [each.exported for each in branches.results] == [False, True, False, False]
    for name in ("parity.md", "report.html"):
        text = (folder / name).read_text()
        assert "2, exported" in text
        assert f"{branches.results[0].agreement:.2%}"[:4] in text
