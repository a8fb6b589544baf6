"""With a Swift toolchain: the package builds and passes its tests, the app type-checks."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "ios_demo"
STUBS = Path(__file__).parent / "apple_stubs"
# In the order in which they import each other.
FRAMEWORKS = (
    "CoreGraphics UniformTypeIdentifiers Combine UIKit SwiftUI CoreVideo ImageIO CoreImage "
    "CoreML AVFoundation PhotosUI".split()
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
def test_the_app_type_checks_against_declarations_of_apples_frameworks(tmp_path):
    def emit(name, sources):
        run(
            *("swiftc", "-swift-version", "6", "-emit-module", "-parse-as-library"),
            *("-suppress-warnings", "-I", tmp_path, "-module-name", name),
            *("-o", tmp_path / f"{name}.swiftmodule", *sources),
            cwd=tmp_path,
        )

    for name in FRAMEWORKS:
        emit(name, [STUBS / f"{name}.swift"])
    emit("DamageKit", sorted((ROOT / "DamageKit" / "Sources").rglob("*.swift")))
    run(
        *("swiftc", "-swift-version", "6", "-typecheck", "-parse-as-library"),
        *("-warnings-as-errors", "-I", tmp_path, "-module-name", "DamageDemo"),
        *sorted((ROOT / "DamageDemo").rglob("*.swift")),
        cwd=tmp_path,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
