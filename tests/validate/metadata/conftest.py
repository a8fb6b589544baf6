"""Bundles whose files a test may edit, and the network that they were made of."""

import shutil

import pytest

from export.bundle import read_bundle
from models.deployable import Deployable
from validate.metadata.check import check_statements


@pytest.fixture
def copied(tiny, tmp_path):
    """The folder of a copy of the tiny bundle, which has every format."""
    return shutil.copytree(tiny[1], tmp_path / "bundle")


@pytest.fixture
def wrong(tiny):
    """Return a function that gives the sentences on one format of a folder, or on all of them."""

    def sentences(folder, format_=None, bundle=None):
        bundle = bundle or read_bundle(folder)
        deployable = Deployable(tiny[0], bundle.contract)
        formats = {each.path: each.format for each in bundle.artifacts}
        found = check_statements(bundle, folder, deployable)
        return [each.sentence for each in found if format_ in (None, formats[each.path])]

    return sentences
