"""The weights that a network applies, with the batch norms that converters fold into them.

The network is run once on a small picture while its calls of convolutions, linear layers and
batch norms are watched: so weights that its code computes (standardised ones, say) are seen as
they are applied, and a batch norm is known to follow a convolution by what it is given.

    scale = γ / √(σ² + ε)        of each output channel, 1 where no batch norm follows
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from models.deployable import Deployable, name_of
from models.specification import Specification

APPLIED = {"conv2d": False, "conv_transpose2d": True, "linear": False, "conv1d": False}
"""Functions that apply a weight, and whether its second axis is that of the output channels."""
SCALING = ("mul", "div", "neg")
"""Parts of the names of functions whose constant factor a converter may fold as well."""
PASSING = ("contiguous", "dropout", "dropout2d", "feature_dropout", "clone", "detach", "to")
"""Functions that change nothing, which converters leave out."""
MADE_BY = "_made_by"
"""What comes of the picture has this attribute: the number of the weight that made it, or None."""


@dataclass(frozen=True)
class Applied:
    """Hold a weight as it was applied: of which module, scaled by how much in each channel.

    `call` numbers the calls of `APPLIED` functions, from 0 in the order of the network's code.

    `transposed` says that a weight `(C_in, C_out / groups, H, W)` is a transposed convolution's.
    """

    module: str
    weight: Tensor
    scale: Tensor | None = None
    transposed: bool = False
    groups: int = 1
    call: int = 0

    def scale_at(self, places: Tensor) -> Tensor:
        """Return the scale of the numbers at flat `places` of the weight; ones without a scale."""
        if self.scale is None:
            return torch.ones(len(places), dtype=torch.float64)
        shape = self.weight.shape
        inner = self.weight.numel() // shape[0]
        if not self.transposed:
            return self.scale[places // inner]
        group = places // inner // (shape[0] // self.groups)
        within = places % inner // (inner // shape[1])
        return self.scale[group * shape[1] + within]


def applied_weights(deployable: Deployable, specification: Specification) -> tuple[Applied, ...]:
    """Return every weight that the network applies, plain and with each batch norm behind it.

    Those that a further factor may be folded into are left out.
    """
    names = {id(value): name for name, value in deployable.named_parameters()}
    watch = _Watch(names)
    side = specification.smallest
    sizes = [(deployable.contract.height, deployable.contract.width)]
    if specification.fixed_size is None:
        sizes.insert(0, (side, side))  # an eighth of the work, and as good, where it runs
    for size in sizes:
        try:
            watch.run(deployable, size)
        except Exception:  # a network's own code raises whatever it likes for a small picture
            watch = _Watch(names)
            continue
        return tuple(watch.found)
    return ()


class _Watch(TorchFunctionMode):
    """Note the weights of the calls, and mark each result with the call that made it."""

    def __init__(self, names: dict[int, str]):
        super().__init__()
        self._names = names
        self._applied: list[list[Applied]] = []
        self._calls = 0
        self._multiplied: set[int] = set()

    @property
    def found(self) -> Iterator[Applied]:
        """Yield what was applied, and is nowhere followed by a factor that is unknown here."""
        every = (each for variants in self._applied for each in variants)
        return (each for each in every if each.weight.data_ptr() not in self._multiplied)

    def run(self, deployable: Deployable, size: tuple[int, int]) -> None:
        """Run the network once on a grey picture of `(height, width)`."""
        image = torch.full((1, deployable.contract.channels, *size), 0.5)
        setattr(image, MADE_BY, None)
        with torch.no_grad(), self:
            deployable(image)

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        name = getattr(function, "__name__", "")
        computed = [each for each in _tensors((*args, *kwargs.values())) if hasattr(each, MADE_BY)]
        made_by = None
        if name in APPLIED:
            made_by = self._note_weight(name, args, kwargs)
        elif name == "batch_norm":
            made_by = self._note_norm(args, kwargs)
        elif any(part in name for part in SCALING) and "matmul" not in name:
            self._note_factor(computed)
        elif name in PASSING and computed:
            made_by = getattr(computed[0], MADE_BY)
        if isinstance(result, Tensor) and computed:
            setattr(result, MADE_BY, made_by)
        return result

    def _note_weight(self, name: str, args: Any, kwargs: Any) -> int | None:
        call, self._calls = self._calls, self._calls + 1
        weight = args[1] if len(args) > 1 else kwargs.get("weight")
        if not isinstance(weight, Tensor) or hasattr(weight, MADE_BY):
            return None
        # convolution(x, weight, bias, stride, padding, dilation, groups), but for transposed ones
        # (…, padding, output_padding, groups, dilation): both have the groups in the same place.
        groups = args[6] if len(args) > 6 else kwargs.get("groups", 1)
        module = name_of(self._names.get(id(weight), "").removesuffix(".weight"))
        applied = Applied(module, weight.detach(), None, APPLIED[name], groups, call)
        self._applied.append([applied])
        return len(self._applied) - 1

    def _note_norm(self, args: Any, kwargs: Any) -> int | None:
        """Note that a batch norm follows a convolution: `batch_norm(x, μ, σ², γ, β, …, ε)`."""
        keys = ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum")
        call = dict(zip((*keys, "eps"), args, strict=False)) | kwargs
        index: int | None = getattr(call["input"], MADE_BY, None)
        variance, gamma = call["running_var"], call.get("weight")
        if index is None or variance is None:
            return None
        scale = (variance.detach().double() + call.get("eps", 1e-5)).rsqrt()
        scale = scale if gamma is None else scale * gamma.detach().double()
        plain = self._applied[index][:1]
        self._applied[index] += [replace(each, scale=scale) for each in plain]
        return index

    def _note_factor(self, computed: list[Tensor]) -> None:
        """Leave out a weight whose result is multiplied by what does not come of the picture."""
        index = getattr(computed[0], MADE_BY) if len(computed) == 1 else None
        if index is not None:
            self._multiplied.add(self._applied[index][0].weight.data_ptr())


def _tensors(values: Iterable[Any]) -> Iterator[Tensor]:
    for each in values:
        if isinstance(each, Tensor):
            yield each
        elif isinstance(each, list | tuple):
            yield from (inner for inner in each if isinstance(inner, Tensor))
