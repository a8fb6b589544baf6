"""Nothing outside a bundle is opened, copied or written because its bundle.json says so."""

import json
import os
import shutil
from pathlib import Path

import pytest
from fuzz_bundles import described
from sealed_bundles import edited

from export.bundle import MANIFEST, read_bundle, verify_files, write_bundle
from export.bundle_consistency import near_path
from export.result_files import RESULTS, UNFINISHED
from export.unlisted import unlisted_files
from models.errors import InputError
from validate.ios.install import install_into_app
from validate.parity.resume import run_state
from validate.predict.resume import STATE, done_photos
from validate.reference.network import load_reference


@pytest.fixture
def folder(tmp_path):
    """A bundle of an mlprogram and an ONNX file, two folders below the test's."""
    folder = tmp_path / "build" / "net"
    write_bundle(described(folder), folder)
    return folder


def verify(folder):
    verify_files(read_bundle(folder), folder)


NAMES = (
    *(
        "/elsewhere/x",
        "..",
        ".",
        "../x",
        "a/b",
        "a\\b",
        "C:\\x",
        "a\0",
        "\x1b[2J",
        "\u202ea",
        "a\n",
    ),
    *("", "-rf", "x" * 300, ".hidden"),
)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_no_plain_name_is_refused(folder, name):
    edited(folder, "name", value=name)
    with pytest.raises(
        InputError, match=r"bundle\.json (contradicts itself: its name|does not hold)"
    ):
        read_bundle(folder)


def test_files_beside_the_app_stay(folder, tmp_path):
    app, other = tmp_path / "app", tmp_path / "elsewhere"
    for place in (app / "Models", other):
        place.mkdir(parents=True)
    (app / "Models" / "README.md").write_text("models")
    kept = [other / "x.golden.json", other / "x.a.png"]
    for path in kept:
        path.write_text("mine")
    edited(folder, "name", value=f"{other}/x")
    with pytest.raises(InputError, match="its name"):
        install_into_app(folder, app)
    assert [path.read_text() for path in kept] == ["mine", "mine"]


@pytest.mark.parametrize("path", ["/etc/passwd", "other.onnx", "../net.onnx", "net.mlpackage", ""])
def test_an_artifact_is_a_file_of_the_bundle(folder, path):
    (folder / "other.onnx").write_bytes(b"other")
    edited(folder, "artifacts", 1, "path", value=path)
    with pytest.raises(InputError, match=r"contradicts itself: it (says|lists)"):
        read_bundle(folder)


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/passwd", "net.mlpackage/../../x", "net.mlpackage//a", "net.mlpackage/a\0b"),
        *("net.mlpackage/./a", "net.mlpackage/a\\b", "net.mlpackage/\u202ea", "net.mlpackage", "x"),
    ],
)
def test_a_listed_file_is_part_of_its_artifact(folder, path):
    edited(folder, "artifacts", 0, "files", 0, "path", value=path)
    with pytest.raises(InputError, match=r"it lists files for net\.mlpackage that are not part"):
        read_bundle(folder)


def test_a_file_is_listed_once(folder):
    files = json.loads((folder / MANIFEST).read_text())["artifacts"][0]["files"]
    edited(folder, "artifacts", 0, "files", value=files * 2)
    with pytest.raises(InputError, match="it lists files"):
        read_bundle(folder)


INNER = "net.mlpackage/Data/model.mlmodel"


@pytest.mark.parametrize(
    "name", ["net.onnx", INNER, "net.mlpackage/Data", "net.mlpackage", MANIFEST]
)
@pytest.mark.parametrize("moved", ["outside", "inside"])
def test_a_link_is_refused_even_where_it_leads_to_the_same_content(folder, tmp_path, name, moved):
    path = folder / name
    target = (folder if moved == "inside" else tmp_path) / "moved"
    path.rename(target)
    path.symlink_to(target)
    with pytest.raises(InputError, match="is a link"):
        verify(folder)


def test_a_link_in_circles_is_refused(folder):
    (folder / "net.onnx").unlink()
    (folder / "net.onnx").symlink_to("net.onnx")
    with pytest.raises(InputError, match="is a link"):
        verify(folder)


@pytest.mark.parametrize("name", ["net.onnx", INNER])
def test_a_pipe_or_a_folder_in_the_place_of_a_file_is_refused(folder, name):
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(InputError, match="is missing"):
        verify(folder)
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(InputError, match="is missing"):
        verify(folder)


def test_a_description_that_is_a_pipe_or_endless_is_refused(folder):
    (folder / MANIFEST).unlink()
    os.mkfifo(folder / MANIFEST)
    with pytest.raises(InputError, match="it is no ordinary file"):
        read_bundle(folder)
    (folder / MANIFEST).unlink()
    with (folder / MANIFEST).open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(InputError, match="larger than 67,108,864 bytes"):
        read_bundle(folder)


@pytest.mark.parametrize("target", ["/etc/passwd", "/etc"])
def test_what_a_package_holds_beside_its_files_is_refused(folder, target):
    (folder / "net.mlpackage" / "Data" / "more").symlink_to(target)
    with pytest.raises(InputError, match="more is not a file of this bundle"):
        verify(folder)


@pytest.mark.parametrize("name", RESULTS)
def test_results_are_not_written_through_a_link(folder, tmp_path, name):
    (tmp_path / "mine").write_text("mine")
    (folder / name).symlink_to(tmp_path / "mine")
    with pytest.raises(InputError, match="is a link"):
        verify(folder)


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_state_is_not_written_through_a_link_or_a_pipe(tmp_path, kind):
    (tmp_path / "mine").write_text("mine")
    for name in (UNFINISHED, STATE):
        if kind == "link":
            (tmp_path / name).symlink_to(tmp_path / "mine")
        else:
            os.mkfifo(tmp_path / name)
    with pytest.raises(InputError, match="cannot be written"), run_state(tmp_path, {}):
        pass
    with pytest.raises(OSError, match=r"symbolic link|ordinary file|No such device"):  # noqa: SIM117
        with done_photos(tmp_path, {}):
            pass
    assert (tmp_path / "mine").read_text() == "mine"


def test_links_and_empty_folders_of_the_user_are_not_lost(folder):
    (folder / "notes").mkdir()
    (folder / "photos").symlink_to("/etc")
    assert unlisted_files(read_bundle(folder), folder) == ("notes", "photos")


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../../x.pt", "a/../x.pt", "..", "a//b", "a\0", ""]
)
def test_a_checkpoint_far_from_the_bundle_is_not_looked_for(folder, path):
    edited(folder, "source", "path", value=path)
    with pytest.raises(InputError, match="its checkpoint's path"):
        read_bundle(folder)


@pytest.mark.parametrize("name", ["../net.pt", "/etc/passwd", "..", ""])
def test_a_checkpoints_name_is_no_path(folder, name):
    edited(folder, "source", "file", value=name)
    with pytest.raises(InputError, match="its checkpoint's name"):
        read_bundle(folder)


def test_a_pipe_in_the_place_of_a_checkpoint_is_not_waited_for(folder, tmp_path):
    os.mkfifo(tmp_path / "net.pt")
    with pytest.raises(InputError, match=r"net\.pt"):
        load_reference(read_bundle(folder), folder)


def test_the_folders_of_the_machine_stay_out_of_a_bundle(tmp_path):
    bundle = tmp_path / "project" / "build" / "net"
    assert near_path(tmp_path / "project" / "net.pt", bundle) == "../../net.pt"
    assert near_path(tmp_path / "project" / "runs" / "net.pt", bundle) == "../../runs/net.pt"
    assert near_path(tmp_path / "elsewhere" / "net.pt", bundle) == "net.pt"
    assert near_path(Path("/home/anna/net.pt"), Path("/out/net")) == "net.pt"


def test_a_checkpoint_beside_the_bundle_or_here_is_found(folder, tmp_path, monkeypatch):
    edited(folder, "source", "path", value="net.pt")
    monkeypatch.chdir(tmp_path)
    for place in (folder, tmp_path):
        (place / "net.pt").write_bytes(b"another")
        with pytest.raises(
            InputError, match=r"net\.pt is not the checkpoint that net was exported"
        ):
            load_reference(read_bundle(folder), folder)
        (place / "net.pt").unlink()
    with pytest.raises(InputError, match="say where it lies with --checkpoint"):
        load_reference(read_bundle(folder), folder)


NUMBERS = {
    "width": [32.0, 1e12, 200_000, True, "32", -32, 10**30],
    "height": [32.5, 0, 8224],
    "channels": [3.0, 10**9],
}


@pytest.mark.parametrize(
    ("key", "value"), [(k, v) for k, values in NUMBERS.items() for v in values]
)
def test_a_size_is_a_number_of_pixels(folder, key, value):
    edited(folder, "contract", key, value=value)
    with pytest.raises(InputError, match=rf"does not hold .* \(at contract/{key}\)"):
        read_bundle(folder)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("specification", "margin"), 1e9),
        (("specification", "margin"), 10**9),
        (("specification", "margin"), 8192),
        (("specification", "stride"), 10**12),
        (("specification", "classes"), 2.0),
        (("specification", "fixed_size"), [10**9, 10**9]),
        (("colours",), ["0x00000000"] * 70_000),
        (("labels",), ["a", "b", "c"]),
        (("schema",), 2.0),
        (("artifacts", 0, "seconds"), "1"),
    ],
)
def test_a_number_that_no_network_has_is_refused(folder, keys, value):
    edited(folder, *keys, value=value)
    with pytest.raises(
        InputError, match=r"bundle\.json (does not hold|contradicts|cannot be used)"
    ):
        read_bundle(folder)


def test_a_picture_that_fits_no_memory_is_refused(folder):
    edited(folder, "contract", "width", value=8192)
    edited(folder, "contract", "height", value=8192)
    read_bundle(folder)
    edited(folder, "specification", "classes", value=1000)
    edited(folder, "labels", value=[f"class {number}" for number in range(1000)])
    edited(folder, "colours", value=["0x00000000"] * 1000)
    with pytest.raises(InputError, match="more than 536,870,912 numbers"):
        read_bundle(folder)


def test_a_bundle_that_is_moved_is_still_read(folder, tmp_path):
    shutil.move(folder, tmp_path / "moved")
    verify(tmp_path / "moved")
