"""Labels come from the user, the checkpoint, well-known names, or numbers, in that order."""

from pathlib import Path

import pytest

from models.errors import InputError
from models.labels import choose_labels, colour_of

PLAIN = Path("net.pt")


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("[DAMAGE][Breakage_3]Unet.pt", "breakage"),
        ("[DAMAGE][Scratch_0]Unet.pt", "scratch"),
        ("[DAMAGE][Scratched_0]Unet.pt", "scratch"),
        ("[DAMAGE][Seperated_1]Unet.pt", "separated"),
        ("[DAMAGE][Separated_1]Unet (copy).pt", "separated"),
        ("[DAMAGE][Crushed_2]Unet.pt", "crushed"),
    ],
)
def test_well_known_file_names(name: str, label: str) -> None:
    labels = choose_labels(Path(name), 2, None, {})
    assert labels.names == ("background", label)
    assert labels.source == "file name"


def test_what_the_user_says_comes_first() -> None:
    path = Path("[DAMAGE][Breakage_3]Unet.pt")
    labels = choose_labels(path, 2, ("nothing", "crack"), {"labels": ["a", "b"]})
    assert labels.names == ("nothing", "crack")


@pytest.mark.parametrize("key", ["labels", "class_names", "classes"])
def test_labels_of_the_checkpoint(key: str) -> None:
    assert choose_labels(PLAIN, 2, None, {key: ["a", "b"]}).names == ("a", "b")


@pytest.mark.parametrize(
    "config",
    [
        {"cfg": {"classes": ["sky", "road"], "epochs": 3}},
        {"hyper_parameters": {"data": {"class_names": {0: "sky", 1: "road"}}}},
        {"meta": {"CLASSES": ["sky", "road"]}, "args": {"classes": 2}},
    ],
)
def test_labels_of_a_config_inside_the_checkpoint(config: dict[str, object]) -> None:
    labels = choose_labels(PLAIN, 2, None, config)
    assert (labels.names, labels.source) == (("sky", "road"), "checkpoint")


def test_a_list_inside_a_config_that_does_not_fit_names_something_else() -> None:
    config = {"cfg": {"classes": ["car", "bus", "van"], "names": ["train", "val"]}}
    assert choose_labels(PLAIN, 2, None, config).source == "numbered"
    with pytest.raises(InputError, match="its own entry 'classes' names 3"):
        choose_labels(PLAIN, 2, None, {"classes": ["car", "bus", "van"]})


def test_a_mapping_of_indices_is_sorted_by_number() -> None:
    names = {str(index): f"c{index}" for index in reversed(range(12))}
    labels = choose_labels(PLAIN, 12, None, {"class_names": names})
    assert labels.names == tuple(f"c{index}" for index in range(12))


def test_a_class_count_is_no_list_of_labels() -> None:
    assert choose_labels(PLAIN, 3, None, {"classes": 3}).names == ("class_0", "class_1", "class_2")


def test_one_channel_has_two_mask_values() -> None:
    assert choose_labels(PLAIN, 1, ("rust",), {}).names == ("background", "rust")
    assert choose_labels(PLAIN, 1, ("paint", "rust"), {}).names == ("paint", "rust")
    assert choose_labels(PLAIN, 1, None, {}).names == ("background", "foreground")


def test_a_wrong_count_is_refused_with_both_numbers() -> None:
    with pytest.raises(InputError, match=r"net\.pt has 16 classes, LABELS names 2"):
        choose_labels(PLAIN, 16, ("background", "breakage"), {})


@pytest.mark.parametrize("names", [("a", "a"), ("a", "")])
def test_labels_are_there_once_and_not_empty(names: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="once and not be empty"):
        choose_labels(PLAIN, 2, names, {})


def test_colours_are_distinct_and_background_is_transparent() -> None:
    colours = [colour_of(value) for value in range(40)]
    assert colours[0] == "0x00000000"
    assert len(set(colours)) == 40
    assert all(len(colour) == 10 and colour.endswith("99") for colour in colours[1:])
