"""Read `MODEL=` and `MODEL_ARGS=`, without running any code."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from models.common.json_reader import parse_json
from models.errors import InputError

EXAMPLE = "MODEL=path/to/file.py:ClassName or MODEL=package.module:factory"


def model_hint(module_class: str) -> str:
    """Return MODEL= with what the class of a whole pickled module tells of it.

    >>> model_hint("net.unet.UNet"), model_hint("torch.nn.modules.container.Sequential")
    ('MODEL=path/to/unet.py:UNet', 'MODEL=path/to/file.py:ClassName')
    """
    *modules, name = ("" if module_class.startswith("torch.") else module_class).split(".")
    named = [part for part in modules if part.isidentifier() and not part.startswith("__")]
    return f"MODEL=path/to/{(named or ['file'])[-1]}.py:{name or 'ClassName'}"


@dataclass(frozen=True)
class NamedModule:
    """Hold a class or function, in a file or an importable module, and the keywords for calling it.

    Exactly one of `file` and `module` is set.
    """

    file: Path | None
    module: str | None
    attribute: str
    arguments: Mapping[str, object]

    @property
    def name(self) -> str:
        """Return the name without this machine's folders: `unet.py:Net`, `package:factory`."""
        return f"{self.file.name if self.file else self.module}:{self.attribute}"

    @property
    def option(self) -> str:
        """Return the option as messages name it."""
        return f"MODEL={self.name}"


def parse_named(model: str | None, model_args: str | None) -> NamedModule | None:
    """Return what the two options name; None where neither is given.

    Raises InputError where the file is missing, no class is named, or the arguments are no JSON
    object.
    """
    if model is None:
        if model_args is not None:
            raise InputError(
                f"MODEL_ARGS={model_args} are for a module of your own: name it, as {EXAMPLE}."
            )
        return None
    arguments = parse_arguments(model_args)
    place, colon, attribute = model.rpartition(":")
    if not colon or not attribute.isidentifier():
        raise InputError(f"MODEL={model} names no class or function: write {EXAMPLE}.{_has(model)}")
    if not place.endswith(".py"):
        if not all(part.isidentifier() for part in place.split(".")):
            raise InputError(f"MODEL={model} is no file and no module: write {EXAMPLE}.")
        return NamedModule(None, place, attribute, arguments)
    file = Path(place).expanduser().absolute()
    if not file.is_file():
        raise InputError(f"{place}, which MODEL= names, is not there: give the path of a .py file.")
    return NamedModule(file, None, attribute, arguments)


def parse_arguments(text: str | None) -> dict[str, object]:
    """Return the keywords in a JSON object; none for None.

    >>> parse_arguments('{"classes": 3}')
    {'classes': 3}
    """
    if text is None:
        return {}
    remedy = """Write an object of the constructor's keywords, as MODEL_ARGS='{"classes": 3}'."""
    try:
        arguments = parse_json(text)
    except ValueError as error:
        raise InputError(f"MODEL_ARGS={text:.200} is not JSON: {error}. {remedy}") from None
    if not isinstance(arguments, dict):
        raise InputError(f"MODEL_ARGS={text:.200} is JSON, but not an object. {remedy}")
    return arguments


def defined_in(file: Path) -> tuple[str, ...]:
    """Return the classes and functions that a Python file defines; none where it cannot be read."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, ValueError, SyntaxError):
        return ()
    kinds = ast.ClassDef | ast.FunctionDef
    return tuple(node.name for node in tree.body if isinstance(node, kinds))


def _has(model: str) -> str:
    """Say what the file that is named without a class offers."""
    names = defined_in(Path(model.rstrip(":")).expanduser())
    return f" It has {', '.join(names)}." if names else ""
