"""Choose the test files of coremltools that take part, and name their cases."""

import importlib.util
from pathlib import Path
from zlib import crc32

from models.errors import InputError

OUTCOMES_OPTION = "--conformance-outcomes"
SUBSET_OPTION = "--conformance-subset"
NATIVE_OPTION = "--conformance-native"
"""The options of `plugin`; it is never imported but by pytest, as it changes coremltools."""

_OPERATIONS = "converters/mil/mil/ops/tests"
_LAYERS = "test/neural_network/test_numpy_nn_layers.py"
_SHORTER = {f"{_OPERATIONS}/": "", "test/neural_network/": "neural_network/"}


def coremltools_folder() -> Path:
    """Return the folder that coremltools is installed in.

    Raises:
        InputError: if it is not installed.
    """
    found = importlib.util.find_spec("coremltools")
    if found is None or not found.submodule_search_locations:
        raise InputError("coremltools is not installed: its own tests are run here.")
    return Path(found.submodule_search_locations[0])


def test_files(names: tuple[str, ...] = ()) -> list[Path]:
    """Return the test files, or those whose name here contains one of `names`, in order.

    Raises:
        InputError: if there is none.
    """
    root = coremltools_folder()
    files = [*sorted((root / _OPERATIONS).glob("*/test_*.py")), root / _LAYERS]
    chosen = [
        path
        for path in files
        if not names or any(name in case_name(str(path.relative_to(root))) for name in names)
    ]
    if not chosen:
        raise InputError(f"No test file of coremltools has a name with {' or '.join(names)} in it.")
    return chosen


def case_name(node: str) -> str:
    """Return the short name of a pytest node.

    >>> case_name("converters/mil/mil/ops/tests/iOS14/test_conv.py::TestConv::test_conv[1]")
    'iOS14/test_conv.py::TestConv::test_conv[1]'
    """
    for prefix, short in _SHORTER.items():
        if node.startswith(prefix):
            return short + node.removeprefix(prefix)
    return node


def stratified(nodes: list[str], count: int) -> set[str]:
    """Choose `count` nodes, the same ones each time: evenly over files, then over functions.

    In each file the first node of every function comes before the second of any; the files take
    turns. Within these, the order is that of a hash of the names.
    """
    position: dict[str, int] = {}
    ranked = []
    for node in sorted(nodes, key=_hash):
        function = node.partition("[")[0]
        position[function] = position.get(function, -1) + 1
        ranked.append((position[function], _hash(node), node))
    taken: dict[str, int] = {}
    ordered = []
    for _, hashed, node in sorted(ranked):
        file = node.partition("::")[0]
        taken[file] = taken.get(file, -1) + 1
        ordered.append((taken[file], hashed, node))
    return {node for _, _, node in sorted(ordered)[:count]}


def _hash(node: str) -> int:
    return crc32(node.encode())
