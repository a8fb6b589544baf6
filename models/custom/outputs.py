"""Find the one tensor of logits in whatever a user's `forward` returns.

Published code often ends in a sigmoid or softmax. Exported files give logits, and the decision
comes after them: so the activation is left away by handing on what went into it. It is found
by watching the calls of `forward` (torch.overrides.TorchFunctionMode), so that `nn.Sigmoid()`,
`torch.sigmoid(x)` and `x.sigmoid()` are all one case.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from models.custom.errors import call_network

ACTIVATIONS = {
    "sigmoid": "sigmoid",
    "expit": "sigmoid",
    "softmax": "softmax",
    "log_softmax": "softmax",
}
"""Torch functions that turn logits into probabilities, with Segport's name for each."""
PREFERRED = ("out", "logits")
"""Names of the output that is taken where there are several."""
TensorAtPath = tuple[tuple[str | int, ...], Tensor]


class ActivationRecorder(TorchFunctionMode):
    """Count the activations that run, and keep what the wanted ones took and gave."""

    def __init__(self, wanted: int | None = None):
        super().__init__()
        self.wanted, self.count = wanted, 0
        self.kept: list[tuple[int, str, Tensor, Tensor]] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run `func` as it is."""
        given = func(*args, **(kwargs or {}))
        kind = ACTIVATIONS.get(getattr(func, "__name__", ""))
        if kind is not None and isinstance(given, Tensor) and _is_over_classes(kind, args, kwargs):
            if self.wanted in (None, self.count):
                self.kept.append((self.count, kind, args[0], given))
            self.count += 1
        return given


@dataclass(frozen=True)
class LogitsOutput:
    """Hold where the logits are in what `forward` returns, and which activation is left away.

    `path` are keys, indices or attributes; `dropped` says which of the activations that run, in
    their order; `activation` is its name, or "". Without `has_channels` the tensor is `(N, H, W)`.
    """

    path: tuple[str | int, ...]
    has_channels: bool
    dropped: int | None
    activation: str
    returned: str

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what the user should know, in sentences."""
        notes = []
        if self.path:
            place = "".join(f"[{step!r}]" for step in self.path)
            notes.append(f"forward returns {self.returned}: {place} of it is exported.")
        if self.activation:
            notes.append(
                f"forward ends in a {self.activation}: the logits before it are exported, and "
                f"{self.activation} is recorded as the activation."
            )
        return tuple(notes)


class OwnNetwork(nn.Module):
    """Run the user's network, giving one tensor of logits `(N, C, H, W)`.

    Its state dict has the keys of the user's own.
    """

    def __init__(self, network: nn.Module, output: LogitsOutput):
        super().__init__()
        self.inner = network
        self.output = output

    def forward(self, image: Tensor) -> Tensor:
        """Return the logits of `image (N, C, H, W)`."""
        output = self.output
        if output.dropped is None:
            logits = tensor_at(call_network(self.inner, image), output.path)
        else:
            with ActivationRecorder(output.dropped) as watched:
                shape = tensor_at(call_network(self.inner, image), output.path).shape
            logits = watched.kept[0][2].reshape(shape)
        return logits if output.has_channels else logits.unsqueeze(1)

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Return the state dict of the user's network."""
        return self.inner.state_dict(*args, **kwargs)

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Load into the user's network."""
        return self.inner.load_state_dict(*args, **kwargs)


def output_of(network: nn.Module, image: Tensor) -> tuple[LogitsOutput, Tensor] | str:
    """Return which output of `network` to take and its value on `image`, or why there is none."""
    with torch.no_grad(), ActivationRecorder() as watched:
        returned = call_network(network, image)
    candidates = list(_tensors(returned))
    fitting = [(p, t) for p, t in candidates if t.ndim == 4 and t.is_floating_point()]
    fitting = fitting or [(p, t) for p, t in candidates if t.ndim == 3 and t.is_floating_point()]
    if not fitting:
        return f"forward returns {_described(returned)}, with no tensor of logits (N, C, H, W)"
    path, tensor = _wanted(fitting, image)
    dropped = next(((n, kind) for n, kind, _, y in watched.kept if _is_same(y, tensor)), None)
    number, activation = dropped or (None, "")
    output = LogitsOutput(path, tensor.ndim == 4, number, activation, _described(returned))
    return output, tensor if tensor.ndim == 4 else tensor.unsqueeze(1)


def tensor_at(returned: Any, path: tuple[str | int, ...]) -> Tensor:
    """Return the tensor at `path`."""
    for step in path:
        by_name = isinstance(step, str) and not isinstance(returned, Mapping)
        returned = getattr(returned, str(step)) if by_name else returned[step]
    if not isinstance(returned, Tensor):
        raise TypeError(f"forward returned a {type(returned).__name__} in the place of a tensor")
    return returned


def _wanted(fitting: list[TensorAtPath], image: Tensor) -> TensorAtPath:
    """Return the tensor called `out` or `logits`, or one as large as `image`, or the first."""
    named = [each for each in fitting if each[0] and each[0][-1] in PREFERRED]
    as_large = [each for each in fitting if each[1].shape[-2:] == image.shape[-2:]]
    return (named or as_large or fitting)[0]


def _is_over_classes(kind: str, args: tuple[Any, ...], kwargs: dict[str, Any] | None) -> bool:
    """Return whether an activation works on the channels; a sigmoid has no dimension."""
    dimension = (kwargs or {}).get("dim", args[1] if len(args) > 1 else None)
    return bool(args) and (kind == "sigmoid" or dimension in (None, 1, -3))


def _tensors(returned: Any, path: tuple[str | int, ...] = ()) -> Any:
    """Yield every tensor in what `forward` returns, with the path to it."""
    if isinstance(returned, Tensor):
        yield path, returned
        return
    for step, value in _parts(returned):
        yield from _tensors(value, (*path, step))


def _parts(returned: Any) -> list[tuple[str | int, Any]]:
    if isinstance(returned, Mapping):
        return list(returned.items())
    if isinstance(returned, tuple | list):
        return list(enumerate(returned))
    return list(getattr(returned, "__dict__", {}).items())


def _is_same(given: Tensor, output: Tensor) -> bool:
    """Return whether `output` is `given`, or a view of all of it with other dimensions of one."""
    return (
        given.data_ptr() == output.data_ptr()
        and given.numel() == output.numel()
        and given.is_contiguous()
        and output.is_contiguous()
    )


def _described(returned: Any) -> str:
    parts = _parts(returned)
    names = [str(name) for name, _ in parts if isinstance(name, str)]
    kind = type(returned).__name__
    what = f"{'an' if kind[0] in 'AEIOU' else 'a'} {kind}"
    if names:
        return f"{what} of {', '.join(names[:6])}"
    if isinstance(returned, tuple | list):
        return f"{what} of {len(parts)}"
    return what
