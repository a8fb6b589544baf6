"""Writes `encoders.json` from the installed smp: `python -m models.families.catalogue`."""

import models.torchvision_shim  # noqa: F401

import json
import warnings

import torch
from segmentation_models_pytorch.encoders import encoders, get_encoder

from models.families.encoders import CATALOGUE, COUNTER, UNIVERSAL, CatalogueEntry, signature

# Encoders that smp 0.2 to 0.4 offered as `timm-…` and later versions build as `tu-…`.
FORMERLY_TIMM = """
resnest14d resnest26d resnest50d resnest101e resnest200e resnest269e
resnest50d_4s2x40d resnest50d_1s4x24d
res2net50_26w_4s res2net101_26w_4s res2net50_26w_6s res2net50_26w_8s res2net50_48w_2s
res2net50_14w_8s res2next50
regnetx_002 regnetx_004 regnetx_006 regnetx_008 regnetx_016 regnetx_032 regnetx_040
regnetx_064 regnetx_080 regnetx_120 regnetx_160 regnetx_320
regnety_002 regnety_004 regnety_006 regnety_008 regnety_016 regnety_032 regnety_040
regnety_064 regnety_080 regnety_120 regnety_160 regnety_320
tf_mobilenetv3_large_075 tf_mobilenetv3_large_100 tf_mobilenetv3_large_minimal_100
tf_mobilenetv3_small_075 tf_mobilenetv3_small_100 tf_mobilenetv3_small_minimal_100
gernet_s gernet_m gernet_l
""".split()


def shapes_of(name: str, in_channels: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors of encoder `name`, batch norm counters left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # smp deprecates its own `timm-` names
        try:
            with torch.device("meta"):
                encoder = get_encoder(name, in_channels=in_channels, weights=None)
        except RuntimeError:  # an encoder that computes while it is built
            encoder = get_encoder(name, in_channels=in_channels, weights=None)
    state = encoder.state_dict()
    return {key: tuple(t.shape) for key, t in state.items() if not key.endswith(COUNTER)}


def describe(name: str) -> CatalogueEntry:
    """The catalogue's entry for encoder `name`."""
    shapes, wider = shapes_of(name, 3), shapes_of(name, 4)
    stem = tuple(key for key in shapes if shapes[key] != wider[key])
    children = sorted({key.removeprefix(UNIVERSAL).split(".")[0] for key in shapes})
    return CatalogueEntry(signature(shapes, stem), stem, tuple(children), len(shapes))


def main() -> None:
    """Write the catalogue of all of smp's own encoders and those it formerly took from timm."""
    names = [*encoders, *(f"tu-{name}" for name in FORMERLY_TIMM)]
    entries = {name: describe(name).__dict__ for name in names}
    lines = (f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in entries.items())
    CATALOGUE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
