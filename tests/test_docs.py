"""Links between the pages lead somewhere, and the index has every page."""

import re

import pytest
from small_networks import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


def links(page):
    """Return the files that a page links to, without those in code."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    found = re.findall(r"\]\(([^)#\s]+)", text)
    return [page.parent / link for link in found if "://" not in link]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    assert [str(link) for link in links(page) if not link.exists()] == []


def test_the_index_has_every_page():
    index = ROOT / "docs" / "README.md"
    there = {link.resolve() for link in links(index)}
    assert {page.name for page in index.parent.glob("*.md")} - {"README.md"} <= {
        link.name for link in there
    }
