"""Load a checkpoint file into a network that holds its weights, with every key accounted for."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from models.checkpoints import Checkpoint, StateDict, normalise, read_checkpoint
from models.custom.family import REMEDY, OwnFamily, own_family
from models.custom.in_memory import ModuleInMemory
from models.custom.option import NamedModule, model_hint
from models.custom.outputs import OwnNetwork, output_of
from models.errors import InputError
from models.families.family import Family
from models.families.recognise import recognise
from models.key_report import COUNTER, Accounting, account, require_complete
from models.labels import Labels, choose_labels
from models.layer_checks import (
    require_faithful,
    stated_activation,
    stated_arguments,
    stated_interpolation,
)
from models.meta_device import built
from models.specification import Choices, Specification
from models.weight_checks import WeightFinding, examine, require_sound

COMPARED = 64
"""Least side, in pixels, of the noise on which a module and its rebuilt network are compared."""
ROUNDING = 1e-4
"""Share of the range of the logits by which the two may differ."""


@dataclass(frozen=True)
class Recognised:
    """Hold a checkpoint with its network, the report of its keys and findings on its weights.

    `choices` are the user's, and where there is none, what the file itself says.
    """

    checkpoint: Checkpoint
    state: StateDict
    family: Family
    choices: Choices
    specification: Specification
    accounting: Accounting
    findings: tuple[WeightFinding, ...]
    labels: Labels

    @property
    def own(self) -> OwnFamily | None:
        """Return the user's own module, where they named one."""
        return self.family if isinstance(self.family, OwnFamily) else None

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what the user should know of how the file was read, in sentences."""
        return (*self.checkpoint.notes, *(self.own.notes if self.own else ()))


def recognise_checkpoint(
    path: Path,
    *,
    weights: str | None = None,
    choices: Choices | None = None,
    labels: Sequence[str] | None = None,
    module: NamedModule | None = None,
) -> Recognised:
    """Read and judge `path` without building its weights into a network.

    The network is the user's own `module` where they name one, whose code then runs; otherwise
    it is told by the keys. Raises InputError when the file is no checkpoint or no known network,
    or the module cannot be built. Keys that do not fit and unsound weights are told in the
    result: see `require_loadable`.
    """
    return _recognised(read_checkpoint(path, weights=weights), choices or Choices(), labels, module)


def recognise_module(
    module: ModuleInMemory,
    name: str,
    *,
    choices: Choices | None = None,
    labels: Sequence[str] | None = None,
) -> Recognised:
    """Judge a network in memory whose weights are to be stored in a file called `name`.

    It is one of the known families where the network that its weights rebuild computes what the
    module does, so that the weights alone are enough later; else it is the user's own. Raises
    InputError as `recognise_checkpoint` does.
    """
    checkpoint = module.checkpoint(name)
    require_sound(examine(checkpoint.tensors), checkpoint.path)
    with contextlib.suppress(InputError):
        known = _recognised(checkpoint, choices or Choices(), labels, None)
        if _computes_the_same(load_network(known), module, known.specification):
            return known
    return _recognised(checkpoint, choices or Choices(), labels, module)


def _computes_the_same(
    rebuilt: nn.Module, module: ModuleInMemory, specification: Specification
) -> bool:
    """Return whether two networks give the same logits on noise, but for rounding."""
    width, height = specification.fixed_size or (specification.at_least(COMPARED),) * 2
    generator = torch.Generator().manual_seed(5)
    image = torch.rand((1, specification.in_channels, height, width), generator=generator)
    found = output_of(module.network, image)
    if isinstance(found, str):
        return False
    with torch.no_grad():
        expected, actual = OwnNetwork(module.network, found[0])(image), rebuilt(image)
    spread = float(expected.max() - expected.min())
    return expected.shape == actual.shape and torch.allclose(
        actual, expected, rtol=0, atol=ROUNDING * max(spread, 1e-6)
    )


def _recognised(
    checkpoint: Checkpoint,
    choices: Choices,
    labels: Sequence[str] | None,
    module: NamedModule | None,
) -> Recognised:
    path = checkpoint.path
    if module is not None:
        family, specification, state = _own(module, checkpoint, choices)
    else:
        state = normalise(checkpoint)
        choices = _settled(choices, state, checkpoint)
        shapes = {key: tuple(tensor.shape) for key, tensor in state.tensors.items()}
        hint = model_hint(checkpoint.module)
        family, specification = recognise(path, shapes, choices, hint)
    if module is None and choices.activation is None and specification.classes > 1:
        stated = stated_activation(state, checkpoint.config)
        choices = replace(choices, activation=stated)
    specification = _with_activation(specification, choices.activation, path)
    return Recognised(
        checkpoint=checkpoint,
        state=state,
        family=family,
        choices=choices,
        specification=specification,
        accounting=_account(checkpoint, state, family, specification),
        findings=examine(state.tensors),
        labels=choose_labels(
            path,
            specification.classes,
            labels,
            checkpoint.config,
            independent=specification.independent,
        ),
    )


def _account(
    checkpoint: Checkpoint, state: StateDict, family: Family, specification: Specification
) -> Accounting:
    """Account for all keys; InputError where a module pickled whole is another network."""
    network = built(lambda: family.build(specification))
    layers = network.inner if isinstance(network, OwnNetwork) else network
    remedy = "" if layers is not network else f"Name its own code: {model_hint(checkpoint.module)}."
    require_faithful(state, layers, checkpoint.path, specification.title, remedy)
    shapes = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    accounting = account(state, shapes, family, specification)
    return replace(accounting, ignored={**checkpoint.ignored, **accounting.ignored})


def _with_activation(
    specification: Specification, activation: str | None, path: Path
) -> Specification:
    """Return the specification with the user's activation, where there is one."""
    if activation is None:
        return specification
    if activation == "softmax" and specification.classes == 1:
        raise InputError(
            f"{path.name} has one output channel, which softmax would make 1 everywhere: leave "
            "ACTIVATION= away, or say ACTIVATION=sigmoid."
        )
    return replace(specification, activation=activation)


def _own(
    module: NamedModule, checkpoint: Checkpoint, choices: Choices
) -> tuple[Family, Specification, StateDict]:
    for name in ("encoder", "interpolation", "padding", "branch"):
        if value := getattr(choices, name):
            raise InputError(
                f"{name.upper()}={value} is for networks that Segport builds: {module.option} is "
                "built by your code. Say it in MODEL_ARGS=."
            )
    family = own_family(module)
    return family, family.specification, family.normalise(checkpoint)


def _settled(choices: Choices, state: StateDict, checkpoint: Checkpoint) -> Choices:
    """Return the user's choices, completed by what the file itself says."""
    choices = replace(choices, stated=stated_arguments(checkpoint.config))
    if choices.interpolation is not None:
        return choices
    return replace(choices, interpolation=stated_interpolation(state, checkpoint.config))


def require_loadable(recognised: Recognised) -> None:
    """Raise InputError unless every key fits and the weights are sound."""
    path, title = recognised.checkpoint.path, recognised.specification.title
    require_complete(recognised.accounting, path, title, REMEDY if recognised.own else None)
    require_sound(recognised.findings, path)


def load_network(recognised: Recognised) -> nn.Module:
    """Return the network with the checkpoint's weights, in evaluation mode, gradients off.

    Raises InputError as `require_loadable` does.
    """
    require_loadable(recognised)
    family, specification = recognised.family, recognised.specification
    network = built(lambda: family.build(specification))
    sources = family.renamed(recognised.state.tensors, specification)
    state = _state_for(network, recognised.state.tensors, sources)
    network.load_state_dict(state, strict=True, assign=True)
    if any(tensor.is_meta for tensor in (*network.parameters(), *network.buffers())):
        # A constructor computes buffers outside the state dict, but not on the meta device.
        network = family.build(specification)
        network.load_state_dict(state, strict=True)
    return network.eval().requires_grad_(False)


def _state_for(
    network: nn.Module, tensors: Mapping[str, Tensor], sources: Mapping[str, str]
) -> dict[str, Tensor]:
    return {
        key: torch.zeros((), dtype=torch.long)
        if key.endswith(COUNTER)
        else tensors[sources.get(key, key)]
        for key in network.state_dict()
    }
