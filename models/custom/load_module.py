"""Import the user's file and call the class or function in it, as `python file.py` would find it.

The file's folder and the one above are searched first while it is imported and called, and its
modules are taken out of `sys.modules` afterwards: `models` or `utils` of the user's must not be
taken for another module of that name. Segport's own packages are hidden for the same reason.
"""

from models.torchvision_shim import declare_missing_operators

import ast
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module, invalidate_caches
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from torch import nn

from models.common.hashing import sha256_of
from models.custom.errors import (
    INSTALLED,
    PACKAGES,
    SEGPORT,
    is_user_file,
    user_code_errors,
)
from models.custom.in_memory import ModuleInMemory
from models.custom.option import NamedModule, defined_in
from models.errors import InputError

HIDDEN = () if INSTALLED else PACKAGES
"""Packages that step aside for the user's own of these names; installed, Segport has one name."""


@dataclass(frozen=True)
class LoadedNetwork:
    """Hold a network that the user's code made, and the SHA-256 of each of their files that ran.

    `files` has the named file first; paths are relative to the first of `folders` that holds
    them, the folders in which the user's code is searched.
    """

    network: nn.Module
    files: Mapping[str, str]
    folders: tuple[Path, ...]


def run_named(named: NamedModule) -> LoadedNetwork:
    """Import what `named` says and call it.

    Raises InputError, naming the file and line, where the code cannot be imported, has no such
    class or function, raises, or makes something else than a torch.nn.Module.
    """
    if isinstance(named, ModuleInMemory):
        return LoadedNetwork(named.network, named.files, (Path.cwd(),))
    declare_missing_operators()  # their file may import torchvision, smp or timm
    if named.file is None:
        before = set(sys.modules)
        module = _imported_module(named)
        return _called(named, module, before, (_root_of(module),))
    depth = _package_depth(named.file)
    folders = tuple(named.file.parents[: max(depth, 1) + 1])
    parts = named.file.with_suffix("").parts[-depth - 1 :]
    with _searching(folders, parts[0]):
        before = set(sys.modules)
        with user_code_errors(f"{named.option} cannot be imported", folders[-1]):
            module = _import_file(named.file, parts)
        return _called(named, module, before, folders)


def _called(
    named: NamedModule, module: ModuleType, before: set[str], folders: tuple[Path, ...]
) -> LoadedNetwork:
    factory = getattr(module, named.attribute, None)
    if factory is None:
        names = ", ".join(defined_in(Path(module.__file__ or ""))) or "nothing"
        raise InputError(f"{named.option}: there is no {named.attribute}; the file has {names}.")
    if isinstance(factory, nn.Module) or not callable(factory):
        raise InputError(
            f"{named.option} is an object ({type(factory).__name__}): name a class, or a "
            "function that returns a torch.nn.Module."
        )
    with user_code_errors(f"{named.option} cannot be built", folders[-1], factory, _takes(factory)):
        network = factory(**named.arguments)
    if not isinstance(network, nn.Module):
        raise InputError(
            f"{named.option} gives a {type(network).__name__}, not a torch.nn.Module: name a "
            "class of a network, or a function that returns one."
        )
    return LoadedNetwork(network, _files(module, before, folders), folders)


def _takes(factory: Callable[..., object]) -> str:
    try:
        signature = str(inspect.signature(factory))
    except (TypeError, ValueError):
        return ""
    return f"It takes {signature}: see MODEL_ARGS=."


def _imported_module(named: NamedModule) -> ModuleType:
    name = named.module or ""
    if name.partition(".")[0] in HIDDEN:
        raise InputError(
            f"{named.option}: that is the name of a package of Segport's own. Give the path of "
            f"your file instead, as MODEL=path/to/file.py:{named.attribute}."
        )
    here = str(Path.cwd())
    if here not in sys.path:  # as `python -m` has it, and an installed command has not
        sys.path.insert(0, here)
    with user_code_errors(f"{named.option} cannot be imported", None):
        return import_module(name)


def _root_of(module: ModuleType) -> Path:
    """Return the folder in which the top package of a module lies."""
    file = Path(module.__file__ or ".").absolute()
    levels = module.__name__.count(".") + (file.name == "__init__.py")
    return file.parents[levels]


def _package_depth(file: Path) -> int:
    """Count the folders above the file that are its packages, by `__init__.py` or its imports."""
    depth = 0
    while (file.parents[depth] / "__init__.py").is_file():
        depth += 1
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):  # importing it will say what is wrong
        return depth
    levels = [node.level for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return max(depth, *levels, 0)


def _import_file(file: Path, parts: tuple[str, ...]) -> ModuleType:
    if len(parts) > 1:
        return import_module(".".join(parts))
    spec = spec_from_file_location(parts[0], file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file.name} is no Python file")
    module = module_from_spec(spec)
    sys.modules[parts[0]] = module  # dataclasses look their module up by its name
    spec.loader.exec_module(module)
    return module


@contextmanager
def _searching(folders: tuple[Path, ...], top: str) -> Iterator[None]:
    """Import from `folders` before anywhere else; leave no trace in `sys.modules`."""
    aside = {*HIDDEN, top}
    hidden = {n: m for n, m in sys.modules.items() if n.partition(".")[0] in aside}
    path, before = sys.path[:], set(sys.modules)
    for name in hidden:
        del sys.modules[name]
    # Python prefers Segport's `models`, which has an `__init__.py`, to a user's folder without.
    others = [place for place in path if Path(place).absolute() != SEGPORT]
    sys.path[:] = [*map(str, folders), *others]
    invalidate_caches()
    try:
        yield
    finally:
        users = [
            name
            for name, module in sorted(sys.modules.items())
            if name.partition(".")[0] in aside
            or (name not in before and _lies_in(module, folders[-1]))
        ]
        for name in users:
            del sys.modules[name]
        sys.modules.update(hidden)
        sys.path[:] = path


def _files(module: ModuleType, before: set[str], folders: tuple[Path, ...]) -> dict[str, str]:
    fresh = [each for name, each in sorted(sys.modules.items()) if name not in before]
    users = [module, *(each for each in fresh if _lies_in(each, folders[-1]))]
    named = [file for each in users if (file := getattr(each, "__file__", None))]
    files = dict.fromkeys(Path(file).absolute() for file in named)
    return {_below(file, folders): sha256_of(file) for file in files}


def _below(file: Path, folders: tuple[Path, ...]) -> str:
    folder = next(folder for folder in folders if file.is_relative_to(folder))
    return file.relative_to(folder).as_posix()


def _lies_in(module: ModuleType, root: Path) -> bool:
    places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
    return any(is_user_file(place, root) for place in places if place)
