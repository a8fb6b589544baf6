"""docs/compatibility.md leaves nothing out; `make compatibility` writes it."""

from check_compatibility import PAGE, examples
from smp_networks import ARCHITECTURES


def test_the_page_covers_every_family_and_every_kind_of_encoder() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")][2:]
    found = {(row[0].removeprefix("| ").strip(), row[1].strip()) for row in rows}
    assert found == {(example.family, example.encoder) for example in examples()}
    assert {f"smp {name}" for name in ARCHITECTURES} <= {family for family, _ in found}
    assert len({encoder for _, encoder in found}) > 20
    assert "Not run here" not in text  # every family of models.families has a row
