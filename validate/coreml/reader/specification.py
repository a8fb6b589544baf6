"""Import the protobuf classes of the Core ML specification from coremltools, not all of it.

`import coremltools` takes half a second and on Linux logs a page of warnings about libraries that
exist on a Mac only. Its generated protobuf modules need neither: they are loaded here as a package
of their own, from coremltools' folder, unless coremltools is already there.
"""

import importlib.util
import sys
from types import ModuleType

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from models.errors import InputError

_ALIAS = "validate.coreml._specification"


def _load() -> ModuleType:
    if "coremltools.proto" in sys.modules:
        return sys.modules["coremltools.proto"]
    found = importlib.util.find_spec("coremltools")
    if found is None or not found.submodule_search_locations:
        raise InputError(
            "coremltools is missing, which reads Core ML files: install Segport again."
        )
    folder = f"{found.submodule_search_locations[0]}/proto"
    spec = importlib.util.spec_from_file_location(
        _ALIAS, f"{folder}/__init__.py", submodule_search_locations=[folder]
    )
    if spec is None or spec.loader is None:
        raise InputError(f"coremltools has no {folder}: install Segport again.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_ALIAS] = module
    spec.loader.exec_module(module)
    return module


_proto = _load()
Model_pb2 = _proto.Model_pb2
MIL_pb2 = _proto.MIL_pb2
FeatureTypes_pb2 = _proto.FeatureTypes_pb2
NeuralNetwork_pb2 = _proto.NeuralNetwork_pb2

__all__ = ["DecodeError", "FeatureTypes_pb2", "MIL_pb2", "Model_pb2", "NeuralNetwork_pb2"]
