"""The runtime has every operation of coremltools' opsets, with the same parameters."""

import pytest
from coremltools.converters.mil._deployment_compatibility import AvailableTarget
from coremltools.converters.mil.mil.ops.registry import SSAOpRegistry

from validate.coreml.registry import Blocks, Site, find, first_opset

# Serialized as something else, or random.
NOT_IN_FILES = {"const", "_const_symbolic", "coreml_update_state"}
TARGETS = {
    15: AvailableTarget.iOS15,
    16: AvailableTarget.iOS16,
    17: AvailableTarget.iOS17,
    18: AvailableTarget.iOS18,
}


def operations(target):
    for name, versions in SSAOpRegistry.core_ops.items():
        usable = [version for version in versions if version <= target]
        if usable and name not in NOT_IN_FILES and not name.startswith("random_"):
            yield name, versions[max(usable)].input_spec.input_types


@pytest.mark.parametrize("opset", TARGETS)
def test_every_operation_and_parameter_is_known(opset):
    wrong = []
    seen = 0
    for name, parameters in operations(TARGETS[opset]):
        seen += 1
        if (first_opset(name) or 99) > opset:
            wrong.append(f"{name} is missing")
            continue
        definition = find(name, opset)
        actual = {each.name: each for each in definition.parameters}
        for key, declared in parameters.items():
            if key.startswith("_"):
                continue  # blocks
            if key not in actual:
                wrong.append(f"{name} lacks the parameter {key}")
            elif declared.optional and actual[key].required:
                wrong.append(f"{name} requires {key}, which is optional")
        for key, each in actual.items():
            if each.required and key not in parameters and each.kind not in (Site, Blocks):
                wrong.append(f"{name} requires {key}, which does not exist")
    assert wrong == []
    assert seen > 140
