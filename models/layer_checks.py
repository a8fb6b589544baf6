"""Compare a rebuilt network with the module that was pickled whole, where shapes cannot tell.

A state dict has no strides, no epsilon and no activations. A module pickled whole has: so its
layers are compared with those of the network that its weights were recognised as.
"""

from collections.abc import Mapping, Set
from pathlib import Path

from torch import nn

from models.checkpoints import StateDict
from models.checkpoints.modules import CLASS, INTERPOLATION
from models.errors import InputError

LISTED = 3
"""Differences named in a message."""
SETTINGS = frozenset(
    "kernel_size stride padding dilation groups padding_mode ceil_mode count_include_pad eps "
    "negative_slope alpha beta threshold approximate dim size scale_factor mode align_corners "
    "output_size normalized_shape num_groups track_running_stats min_val max_val".split()
)
"""Attributes that change what a layer computes in evaluation mode."""
LAST = "segmentation_head.2.activation"
"""Path of the activation in smp's networks."""
ACTIVATIONS = {
    "Sigmoid": "sigmoid",
    "Softmax": "softmax",
    "sigmoid": "sigmoid",
    "softmax": "softmax",
    "softmax2d": "softmax",
}
"""Names of activations, as layers and as smp's argument, with a specification's name for each."""
IDLE = frozenset({"Identity", "Dropout", "Dropout2d"})
"""Layers that do nothing in evaluation mode."""
CONTAINERS = frozenset({"Sequential", "ModuleList", "ModuleDict"})
"""Layers that only hold others: networks that are built from keys have plain modules there."""
POOLING = {"kernel_size": 2, "stride": 2, "padding": 0, "dilation": 1, "ceil_mode": False}
"""The max pooling of U-Nets that are built from keys, which is no layer of theirs."""
STATED = frozenset(
    "encoder_name encoder_output_stride encoder_output_indices decoder_atrous_rates "
    "decoder_interpolation decoder_readout upsampling".split()
)
"""Arguments of smp's constructors that shapes cannot tell."""
TORCH_LAYERS = "torch.nn.modules."
WEIGHTLESS = frozenset(
    "LeakyReLU ELU SELU CELU GELU SiLU Mish Hardswish Softplus Tanh InstanceNorm2d AvgPool2d "
    "LPPool2d PixelShuffle PixelUnshuffle ReLU6 Hardtanh Hardsigmoid Softsign LogSigmoid RReLU "
    "Threshold LocalResponseNorm ReflectionPad2d ReplicationPad2d ZeroPad2d ConstantPad2d".split()
)
"""Layers that leave no trace in a state dict, but change what a network computes."""


def stated_interpolation(state: StateDict, config: Mapping[str, object]) -> str | None:
    """Return the decoder's up-sampling, where a pickled module or a config in the file says it."""
    for facts in state.layers.values():
        if isinstance(mode := facts.get(INTERPOLATION), str):
            return mode
    mode = stated_arguments(config).get("decoder_interpolation")
    return mode if isinstance(mode, str) else None


def stated_activation(state: StateDict, config: Mapping[str, object]) -> str | None:
    """Return the sigmoid or softmax after the logits, where the file says so.

    smp's networks have such an activation only if they were asked to; it has no weights.
    """
    last = str(state.layers.get(LAST, {}).get(CLASS, "")).rsplit(".", 1)[-1]
    stated = last if last in ACTIVATIONS else _configured(config, {"activation"}).get("activation")
    return ACTIVATIONS.get(stated) if isinstance(stated, str) else None


def stated_arguments(config: Mapping[str, object]) -> dict[str, object]:
    """Return what a checkpoint's own config says of its network's constructor, by argument name."""
    return _configured(config, STATED)


def _configured(config: Mapping[str, object], names: Set[str]) -> dict[str, object]:
    stated: dict[str, object] = {}
    for place in (config, config.get("config.json"), config.get("hyper_parameters")):
        if isinstance(place, dict):
            stated |= {name: place[name] for name in names & place.keys() - stated.keys()}
    return stated


def require_faithful(
    state: StateDict, network: nn.Module, path: Path, title: str, remedy: str = ""
) -> None:
    """Raise InputError where `network` would compute something else than the pickled module.

    `remedy` is a sentence that ends the message.
    """
    modules = dict(network.named_modules())
    differences = [
        difference
        for place, facts in state.layers.items()
        for difference in (
            _differences(place, facts, modules[place])
            if place in modules
            else _traceless(place, facts)
        )
    ]
    if differences:
        more = len(differences) - LISTED
        rest = f" and {more} more" if more > 0 else ""
        raise InputError(
            f"{path.name} is not a plain {title}, although its weights fit one: "
            f"{'; '.join(differences[:LISTED])}{rest}. Exporting it as one would change what it "
            f"computes. {remedy}".rstrip()
        )


def _differences(place: str, facts: Mapping[str, object], layer: nn.Module) -> list[str]:
    stored, built = str(facts[CLASS]), type(layer)
    if place == LAST and stored.rsplit(".", 1)[-1] in ACTIVATIONS:
        return []  # the logits before it are exported, and the specification names it
    if stored.startswith(TORCH_LAYERS) and built.__module__.startswith(TORCH_LAYERS):
        name = stored.rsplit(".", 1)[1]
        if name in CONTAINERS and built is nn.Module:
            return []
        if name != built.__name__ and not {name, built.__name__} <= IDLE:
            return [f"{place} is a {name}, not a {built.__name__}"]
    return [
        f"{place} has {name} {facts[name]}, not {getattr(layer, name)}"
        for name in sorted(SETTINGS & facts.keys())
        if hasattr(layer, name) and not _same(facts[name], getattr(layer, name))
    ]


def _traceless(place: str, facts: Mapping[str, object]) -> list[str]:
    """Return what a layer without weights, which the rebuilt network has not, would change."""
    name = str(facts[CLASS]).rsplit(".", 1)[-1]
    if name in WEIGHTLESS:
        return [f"{place} is a {name}, which it has not"]
    return [
        f"{place} has {setting} {facts[setting]}, not {usual}"
        for setting, usual in POOLING.items()
        if name == "MaxPool2d" and setting in facts and not _same(facts[setting], usual)
    ]


def _same(stored: object, built: object) -> bool:
    """Return whether two settings mean the same: a stride of 2 and one of (2, 2) do."""

    def listed(value: object) -> list[object]:
        values = list(value) if isinstance(value, tuple | list) else [value]
        return values[:1] if len(set(map(str, values))) == 1 else values

    return listed(stored) == listed(built)
