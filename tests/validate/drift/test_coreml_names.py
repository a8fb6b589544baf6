"""Values of Core ML files are traced back to the modules that computed them."""

import coremltools as ct
import pytest
from torch import nn

from export.bundle import read_bundle
from export.coreml_names import CoreMLNames
from export.tracing import trace, trace_single_image
from models.deployable import Deployable
from models.specification import InputContract
from validate.images.samples import find_samples
from validate.runtimes.eager import Eager


def names_of(network, contract):
    return CoreMLNames(trace_single_image(trace(Deployable(network, contract), contract), contract))


def operations_of(folder, format):
    """Type and first output of every operation of a Core ML file, constants left out."""
    artifact = next(each for each in read_bundle(folder).artifacts if each.format == format)
    specification = ct.utils.load_spec(str(folder / artifact.path))
    if format == "neuralnetwork":
        layers = specification.neuralNetwork.layers
        return [(each.WhichOneof("layer"), each.output[0]) for each in layers]
    (block,) = specification.mlProgram.functions["main"].block_specializations.values()
    return [(o.type, o.outputs[0].name) for o in block.operations if o.type != "const"]


def fused_in_order(network, contract):
    """The paths of the convolutions as they run, of its batch norm where one comes next."""
    ran = []
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d):
            module.register_forward_hook(lambda ran_now, *_, name=name: ran.append((name, ran_now)))
    Eager(Deployable(network, contract)).run(next(iter(find_samples(None, contract))).image)
    followed = [isinstance(after, nn.BatchNorm2d) for _, after in ran[1:]] + [False]
    pairs = zip(ran, followed, strict=True)
    return [f"network.{name}" for (name, _), by_norm in pairs if not by_norm]


@pytest.mark.parametrize("format", ["mlprogram", "neuralnetwork"])
def test_each_convolution_has_its_module(tiny, make_network, format):
    contract = InputContract(64, 64, None, None)
    names = names_of(tiny[0], contract)
    found = [names.find(name) for kind, name in operations_of(tiny[1], format) if "conv" in kind]
    assert [each.module for each in found] == fused_in_order(make_network(), contract)


def test_what_the_file_makes_up_has_no_module(tiny):
    names = names_of(tiny[0], InputContract(64, 64, None, None))
    unknown = {name for _, name in operations_of(tiny[1], "mlprogram") if not names.find(name)}
    assert unknown <= {"image__scaled__", "image_to_fp16"}
    assert names.find("mask").operation == "aten::select"
    assert names.find("logits").module == "network.segmentation_head.0"
