"""Resizing of images `(…, H, W)`."""

from torch import Tensor
from torch.nn import functional

from validate.coreml.limits import require_size
from validate.coreml.registry import op


@op("upsample_nearest_neighbor", exact=True)
def upsample_nearest_neighbor(
    x: Tensor, scale_factor_height: float = 1.0, scale_factor_width: float = 1.0
) -> Tensor:
    """Repeat each pixel."""
    size = (int(x.shape[-2] * scale_factor_height), int(x.shape[-1] * scale_factor_width))
    require_size((*x.shape[:-2], *size), "its result")
    return functional.interpolate(x, size=size, mode="nearest")
