"""Check that the code which the user names again is what a bundle was exported with.

A bundle is a file that somebody else may have written. Nothing in it is ever imported, and
nothing in it reaches the user's code: file, class and arguments are the user's own words, which
are held against what the bundle recorded.
"""

import json
import shlex
from collections.abc import Mapping

from export.bundle import Bundle, OwnCode
from models.common.hashing import sha256_of
from models.custom.in_memory import ModuleInMemory
from models.custom.option import NamedModule
from models.errors import InputError


def require_named_again(bundle: Bundle, module: NamedModule | None) -> None:
    """Raise InputError unless `module` is what `bundle` was exported with, before it runs."""
    code, source = bundle.source.code, bundle.source
    if isinstance(module, ModuleInMemory):
        if source.module is None:
            raise InputError(
                f"{bundle.name} was exported from the checkpoint {source.file}, and not from a "
                "module in memory: leave model= away."
            )
        return
    if code is None:
        if module is not None:
            raise InputError(
                f"{module.option} is not what {bundle.name} was exported with, which is "
                f"{bundle.specification.title}: leave MODEL= away."
            )
        return
    if source.module is not None:
        if module is None:
            raise InputError(
                f"{bundle.name} was exported from a module in memory that its weights alone do not "
                f"rebuild, {source.module}: name its class, as MODEL=path/to/file.py:CLASS with "
                "MODEL_ARGS=, or give the module to segport.validate(bundle, model=module)."
            )
        return
    if module is None:
        raise InputError(
            f"{bundle.name} was exported with a network of the user's own, which is not run "
            f"because a bundle says so: name its code again, as {_options(code)}, or judge "
            "against a stored reference with REFERENCE=."
        )
    if (module.name, dict(module.arguments)) != (code.name, dict(code.arguments)):
        raise InputError(
            f"{module.option} is not what {bundle.name} was exported with: that was "
            f"{_options(code)}."
        )
    if module.file is not None:
        first = next(iter(code.files))
        _require_same({first: sha256_of(module.file)}, code, bundle)


def require_same_files(bundle: Bundle, files: Mapping[str, str]) -> None:
    """Raise InputError where another file of the user's ran than when `bundle` was exported."""
    if bundle.source.code is not None and bundle.source.module is None:
        _require_same(files, bundle.source.code, bundle)


def _require_same(files: Mapping[str, str], code: OwnCode, bundle: Bundle) -> None:
    changed = [name for name, sha256 in files.items() if code.files.get(name) != sha256]
    if changed:
        raise InputError(
            f"{', '.join(changed)} changed since {bundle.name} was exported (the SHA-256 differs "
            "from bundle.json's): export it again, or give the file as it was."
        )


def _options(code: OwnCode) -> str:
    """Return what to give to make, with a place for the folders, which a bundle does not tell."""
    place = f"path/to/{code.name}" if ".py:" in code.name else code.name
    arguments = json.dumps(dict(code.arguments), ensure_ascii=False)
    return f"MODEL={place}" + (f" MODEL_ARGS={shlex.quote(arguments)}" if code.arguments else "")
