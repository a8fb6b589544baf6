"""Lay the repository out as the one package `segport` that is installed.

The parts lie at the top of the repository (`models`, `export`, `validate`, `samples`) and below
`segport` in a wheel, so that no name of theirs meets one of the user's: `segport/_models` and so
on. The imports of the built copy are rewritten for it. Everything else is in pyproject.toml.
"""

import ast
import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

PARTS = ("models", "export", "validate")
INSTALLED = {part: f"segport._{part}" for part in PARTS}
NAME = re.compile(rf"\b({'|'.join(PARTS)})\b")
DOTTED = re.compile(rf"({'|'.join(PARTS)})(\.\w+)+")
PACKAGES = {
    "segport": "segport",
    "segport.samples": "samples",
    **{installed: part for part, installed in INSTALLED.items()},
}


class BuildOnePackage(build_py):
    """Copy the modules, and have them import each other by their installed names."""

    def run(self) -> None:
        """Build from scratch: what an earlier build left would be installed too."""
        if self.editable_mode:
            raise SystemExit("A clone of Segport runs where it is: python -m segport.")
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()

    def build_module(self, module, module_file, package):  # type: ignore[no-untyped-def]
        """Rewrite each module once it is copied."""
        copied, was_copied = super().build_module(module, module_file, package)
        path = Path(copied)
        path.write_text(renamed(path.read_text(encoding="utf-8"), module_file), encoding="utf-8")
        return copied, was_copied


def renamed(source: str, origin: object) -> str:
    """Return a module's source with the parts called by their installed names.

    Names are found in the syntax tree: those of import statements, and texts that are nothing but
    a module's dotted name. Raises ValueError where a part is imported under its own bare name,
    which the code would go on to use.
    """
    lines = source.encode().splitlines(keepends=True)
    places = {place for node in ast.walk(ast.parse(source)) for place in _places(node, origin)}
    for line, column in sorted(places, reverse=True):
        before, after = lines[line - 1][:column].decode(), lines[line - 1][column:].decode()
        replaced = NAME.sub(lambda found: INSTALLED[found[1]], after, count=1)
        lines[line - 1] = (before + replaced).encode()
    return b"".join(lines).decode()


def _places(node: ast.AST, origin: object) -> list[tuple[int, int]]:
    """Return the line and the byte in it after which the next name of a part is to be replaced."""
    if isinstance(node, ast.ImportFrom) and not node.level and _is_part(node.module):
        return [(node.lineno, node.col_offset)]
    if isinstance(node, ast.Import):
        found = [alias for alias in node.names if _is_part(alias.name)]
        if any(alias.asname is None and alias.name != SHIM for alias in found):
            raise ValueError(f"{origin}, line {node.lineno}: write `from … import …` of {found}.")
        return [(alias.lineno, alias.col_offset) for alias in found]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [(node.lineno, node.col_offset)] if DOTTED.fullmatch(node.value) else []
    return []


SHIM = "models.torchvision_shim"  # imported for what it does, and not for its name


def _is_part(module: str | None) -> bool:
    return (module or "").partition(".")[0] in PARTS


def packages() -> list[str]:
    """Return the installed names of all packages."""
    found = ["segport", "segport.samples"]
    found += [f"segport.{name}" for name in find_packages("segport")]
    for part, installed in INSTALLED.items():
        found += [installed, *(f"{installed}.{name}" for name in find_packages(part))]
    return found


if __name__ == "__main__":
    setup(
        packages=packages(),
        package_dir=PACKAGES,
        package_data={
            "": ["*.json", "templates/*", "py.typed"],
            "segport.samples": ["*.jpg", "masks/*.png"],
        },
        cmdclass={"build_py": BuildOnePackage},
        options={"build": {"build_base": "dist/build"}},  # build/ is where bundles go
    )
