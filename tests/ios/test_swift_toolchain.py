"""With a Swift toolchain: the package builds and passes its tests, app and cards type-check."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from made_reports import made_report
from model_cards import CONTRACTS, swift_of

from validate.report.model_card import to_card

ROOT = Path(__file__).resolve().parents[2] / "ios_demo"
STUBS = Path(__file__).parent / "apple_stubs"
# In the order in which they import each other.
FRAMEWORKS = (
    "CoreGraphics UniformTypeIdentifiers Combine UIKit SwiftUI CoreVideo ImageIO CoreImage "
    "CoreML Vision AVFoundation PhotosUI".split()
)
pytestmark = [
    pytest.mark.skipif(shutil.which("swift") is None, reason="no Swift toolchain on the PATH"),
    pytest.mark.slow,
    pytest.mark.timeout(900),
]


def run(*command, **options):
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=850, check=False, **options
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done


def test_the_package_builds_and_passes_its_tests(tmp_path):
    run("swift", "test", "--scratch-path", tmp_path, cwd=ROOT / "DamageKit")


def test_the_sources_are_formatted():
    if subprocess.run(
        ["swift", "format", "--version"], capture_output=True, check=False
    ).returncode:
        pytest.skip("this toolchain has no swift-format: it comes with Swift 6")
    run("swift", "format", "lint", "--strict", "--recursive", "DamageKit", "DamageDemo", cwd=ROOT)


@pytest.mark.skipif(
    shutil.which("xcodebuild") is not None, reason="Xcode builds the app itself, in its own job"
)
def test_the_app_type_checks_against_declarations_of_apples_frameworks(frameworks):
    emit(frameworks, "DamageKit", sorted((ROOT / "DamageKit" / "Sources").rglob("*.swift")))
    type_check(frameworks, "DamageDemo", sorted((ROOT / "DamageDemo").rglob("*.swift")))


@pytest.mark.parametrize("contract", CONTRACTS)
def test_what_a_model_card_shows_type_checks(frameworks, contract, device_bundle, tmp_path):
    from export.bundle import read_bundle

    bundle = CONTRACTS[contract](read_bundle(device_bundle[1]))
    found = swift_of(to_card(made_report(), bundle))
    assert found
    for number, text in enumerate(found):
        source = tmp_path / f"Shown{number}.swift"
        source.write_text(text, encoding="utf-8")
        type_check(frameworks, "Shown", [source])


@pytest.fixture(scope="module")
def frameworks(tmp_path_factory):
    """A folder of modules that declare what is used of Apple's frameworks."""
    folder = tmp_path_factory.mktemp("frameworks")
    for name in FRAMEWORKS:
        emit(folder, name, [STUBS / f"{name}.swift"])
    return folder


def emit(folder, name, sources):
    run(
        *("swiftc", "-swift-version", "6", "-emit-module", "-parse-as-library"),
        *("-suppress-warnings", "-I", folder, "-module-name", name),
        *("-o", folder / f"{name}.swiftmodule", *sources),
        cwd=folder,
    )


def type_check(folder, name, sources):
    run(
        *("swiftc", "-swift-version", "6", "-typecheck", "-parse-as-library"),
        *("-warnings-as-errors", "-I", folder, "-module-name", name, *sources),
        cwd=folder,
        env=os.environ | {"TMPDIR": str(folder)},
    )
