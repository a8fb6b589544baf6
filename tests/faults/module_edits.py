"""Exports a broken network in the place of the good one, as a broken script would."""

import copy
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from export.bundle import Bundle
from models.deployable import Deployable

Break = Callable[[nn.Module], None]


class Outputs(nn.Module):
    """The deployable module with something done to its logits and mask."""

    def __init__(self, deployable: nn.Module, change: Callable[[Tensor, Tensor], object]):
        super().__init__()
        self.deployable = deployable
        self.change = change

    def forward(self, image: Tensor) -> object:
        """Pass `image (1, 3, H, W)` through both."""
        return self.change(*self.deployable(image))


def write_torchscript(module: nn.Module, path: Path, bundle: Bundle) -> None:
    """Trace `module` as it is, without the checks of the export."""
    contract = bundle.contract
    image = torch.rand(1, 3, contract.height, contract.width)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # what the tracer says about a broken module is no news
        traced = torch.jit.trace(module, image, check_trace=False)
    torch.jit.save(torch.jit.freeze(traced.eval()), str(path))


def broken(network: nn.Module, bundle: Bundle, fault: Break) -> Deployable:
    """A deployable module around a copy of `network` that `fault` has changed."""
    changed = copy.deepcopy(network)
    with torch.no_grad():
        fault(changed)
    training = changed.training  # the deployable module would see to that
    independent = bundle.specification.independent
    return Deployable(changed, bundle.contract, independent=independent).train(training)


def convolutions(network: nn.Module) -> list[nn.Conv2d]:
    """All of them, in the order of their names."""
    return [module for module in network.modules() if isinstance(module, nn.Conv2d)]


def forget_eval(network: nn.Module) -> None:
    network.train()


def loosen_epsilon(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-3


def drop_norm_bias(network: nn.Module) -> None:
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    norms[-1].bias.zero_()


def shift_padding(network: nn.Module) -> None:
    layer = convolutions(network)[8]
    layer.padding = (0, 0)
    layer.register_forward_pre_hook(
        lambda _layer, args: (nn.functional.pad(args[0], (0, 2, 0, 2)),)
    )


def smooth(align_corners: bool) -> Break:
    """Up-sample bilinearly where the network takes the nearest pixel."""

    def change(network: nn.Module) -> None:
        for block in network.decoder.blocks:
            block.forward = _smoothed(block, align_corners)

    return change


def _smoothed(block: nn.Module, align_corners: bool) -> Callable[..., Tensor]:
    def forward(
        feature_map: Tensor,
        target_height: int,
        target_width: int,
        skip_connection: Tensor | None = None,
    ) -> Tensor:
        size = (int(target_height), int(target_width))
        larger = nn.functional.interpolate(
            feature_map, size, mode="bilinear", align_corners=align_corners
        )
        if skip_connection is not None:
            larger = block.attention1(torch.cat([larger, skip_connection], dim=1))
        return block.attention2(block.conv2(block.conv1(larger)))

    return forward


def clip(network: nn.Module) -> None:
    network.decoder.blocks[1].conv2.register_forward_hook(
        lambda _layer, _args, output: output.clamp(max=0.3)
    )
