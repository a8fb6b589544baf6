"""Take a network that is in memory, and leave it as it is.

What is exported is a copy: on the CPU, in float32, in evaluation mode, without gradients, out of
the wrappers that training puts around a network. Hooks stay, since some compute (spectral norm).
"""

import copy
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from models.checkpoints import Checkpoint
from models.checkpoints.modules import CLASS, INTERPOLATION, is_setting
from models.common.hashing import sha256_of
from models.common.text import first_line
from models.custom.option import NamedModule
from models.errors import InputError


@dataclass(frozen=True)
class ModuleInMemory(NamedModule):
    """Hold a copy of the user's network; `module` and `attribute` are the names of its class."""

    network: nn.Module

    @property
    def option(self) -> str:
        """Return what messages call it."""
        return f"The module {self.attribute}"

    @property
    def files(self) -> Mapping[str, str]:
        """Return the SHA-256 of the file that defines its class, where there is one."""
        try:
            path = Path(inspect.getfile(type(self.network)))
        except (OSError, TypeError):
            return {}
        return {path.name: sha256_of(path)} if path.is_file() else {}

    def checkpoint(self, name: str) -> Checkpoint:
        """Return its weights as if they had been read from a file of that name."""
        return Checkpoint(
            path=Path(name),
            container="module in memory",
            sha256="",
            size=0,
            entry="",
            tensors=self.weights(),
            layers=_layers(self.network),
        )

    def weights(self) -> dict[str, Tensor]:
        """Return its state dict, each tensor in memory of its own."""
        taken: set[int] = set()
        weights = {}
        for key, tensor in self.network.state_dict().items():
            if isinstance(tensor, Tensor):
                shared = tensor.data_ptr() in taken or not tensor.is_contiguous()
                weights[key] = tensor.clone().contiguous() if shared else tensor
                taken.add(tensor.data_ptr())
        return weights

    def serialised(self) -> bytes:
        """Return its state dict as a safetensors file; the same weights give the same bytes."""
        from safetensors.torch import save

        data: bytes = save(self.weights())
        return data


def in_memory(module: nn.Module) -> ModuleInMemory:
    """Copy `module`, which may be on any device, of any precision and in training.

    Raises InputError where it has no weights, or cannot be copied.
    """
    inner = _unwrapped(module)
    kind = type(inner)
    if isinstance(inner, torch.jit.ScriptModule):
        raise InputError(
            "A scripted module is no code that could be traced again: give the module that it was "
            "made of, or save it with torch.jit.save and give the file."
        )
    if not any(True for _ in inner.parameters()):
        raise InputError(f"The module {kind.__name__} has no weights: give a network.")
    try:
        network = copy.deepcopy(inner, {id(old): _plain(old) for old in _tensors(inner)})
    except Exception as error:  # whatever the module's own parts raise
        raise InputError(
            f"The module {kind.__name__} cannot be copied ({first_line(error).rstrip('.')}): save "
            "its state_dict() and give the file, with MODEL= for the code of an own network."
        ) from error
    network = network.eval().requires_grad_(False)
    return ModuleInMemory(None, kind.__module__, kind.__qualname__, {}, network)


def _unwrapped(module: nn.Module) -> nn.Module:
    """Return the network inside torch.compile, DataParallel and DistributedDataParallel."""
    if isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
        return _unwrapped(module.module)
    if type(module).__module__.startswith("torch._dynamo."):
        return _unwrapped(module.get_submodule("_orig_mod"))
    return module


def _tensors(module: nn.Module) -> Iterator[Tensor]:
    """Yield every tensor that the module and its parts hold, registered or not."""
    yield from module.parameters()
    yield from module.buffers()
    for part in module.modules():
        yield from (value for value in vars(part).values() if isinstance(value, Tensor))


def _plain(tensor: Tensor) -> Tensor:
    """Return a copy on the CPU, in float32 where it holds real numbers."""
    dtype = torch.float32 if tensor.is_floating_point() else tensor.dtype
    plain = tensor.detach().to("cpu", dtype, copy=True)
    return nn.Parameter(plain, requires_grad=False) if isinstance(tensor, nn.Parameter) else plain


def _layers(network: nn.Module) -> dict[str, dict[str, object]]:
    """Return each torch layer's path with its class and settings, as of a module pickled whole."""
    found: dict[str, dict[str, object]] = {}
    for path, part in network.named_modules():
        settings = {name: value for name, value in vars(part).items() if is_setting(name, value)}
        kind = type(part)
        if kind.__module__.startswith("torch.nn.modules.") or INTERPOLATION in settings:
            found[path] = {**settings, CLASS: f"{kind.__module__}.{kind.__qualname__}"}
    return found
