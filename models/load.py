"""Load a checkpoint file into a network that holds its weights, with every key accounted for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from models.checkpoints import Checkpoint, StateDict, normalise, read_checkpoint
from models.custom.family import REMEDY, OwnFamily, own_family
from models.custom.option import NamedModule, model_hint
from models.custom.outputs import OwnNetwork
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


@dataclass(frozen=True)
class Recognised:
    """Hold a checkpoint with its network, the report of its keys and findings on its weights."""

    checkpoint: Checkpoint
    state: StateDict
    family: Family
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
    checkpoint = read_checkpoint(path, weights=weights)
    choices = choices or Choices()
    if module is None:
        family, specification, state = _known(path, checkpoint, choices)
    else:
        family, specification, state = _own(module, checkpoint, choices)
    specification = _with_activation(specification, choices.activation, path)
    return Recognised(
        checkpoint=checkpoint,
        state=state,
        family=family,
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


def _known(
    path: Path, checkpoint: Checkpoint, choices: Choices
) -> tuple[Family, Specification, StateDict]:
    state = normalise(checkpoint)
    shapes = {key: tuple(tensor.shape) for key, tensor in state.tensors.items()}
    settled = _settled(choices, state, checkpoint)
    family, specification = recognise(path, shapes, settled, model_hint(checkpoint.module))
    if specification.classes > 1:
        stated = stated_activation(state, checkpoint.config)
        specification = _with_activation(specification, stated, path)
    return family, specification, state


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
