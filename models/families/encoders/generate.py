"""Write `encoders.json` from the installed smp and timm (`make catalogue`).

Every encoder is built, without memory for its weights, for each depth that it can have, which
takes a quarter of an hour. Encoders of timm that are not here need `ENCODER=tu-NAME`.
"""

import models.torchvision_shim  # noqa: F401

import json
import re
from collections.abc import Iterable, Iterator

import click
import timm
from segmentation_models_pytorch.encoders import encoders

from models.common.text import first_line
from models.families.encoders.build import UNBUILDABLE, describe
from models.families.encoders.catalogue import CATALOGUE, TIMM

PYRAMIDS = """
byobnet convnext cspnet densenet dla dpn edgenext efficientformer_v2 efficientnet
efficientvit_mit efficientvit_msra fastvit fasternet focalnet ghostnet hardcorenas hgnet hrnet
inception_next maxxvit metaformer mobilenetv3 mobilevit mvitv2 nextvit pvt_v2 regnet
repghost repvit res2net resnest resnet resnetv2 rexnet selecsls senet sknet starnet
swin_transformer swin_transformer_v2 tiny_vit tresnet vgg vovnet xception xception_aligned
""".split()
"""Modules of timm whose convolutional networks people put below smp's decoders."""
TRANSFORMERS = re.compile(
    r"vit_(tiny|small|base|large)_patch\d+_(224|384|518|clip_\w+|dinov[23]|reg4_dinov2|siglip_\w+)"
    r"|vit_(small|base|large)_patch\d+_dinov3|vit_(small|medium|base|large)_patch\d+_reg\d_\w+"
    r"|deit3?_\w+|beit(v2)?_\w+|eva02_(tiny|small|base|large)_\w+"
)
"""Vision transformers of timm that people put below smp's DPT."""


def names() -> list[str]:
    """Return the encoders that the catalogue describes, as smp's constructor takes them."""
    pyramids = (name for module in PYRAMIDS for name in timm.list_models(module=module))
    transformers = (name for name in timm.list_models() if TRANSFORMERS.fullmatch(name))
    timms = (n for n in dict.fromkeys((*pyramids, *transformers)) if not n.startswith("test_"))
    return [*encoders, *(TIMM + name for name in timms)]


def catalogue_lines(names: Iterable[str]) -> Iterator[str]:
    """Yield a line of the catalogue for each of `names` that smp can use."""
    for name in names:
        try:
            entry = describe(name)
        except UNBUILDABLE as error:
            click.echo(f"{name}: {first_line(error)}", err=True)
            continue
        yield f"{json.dumps(name)}:{json.dumps(entry.__dict__, separators=(',', ':'))}"


def main() -> None:
    """Write the catalogue."""
    CATALOGUE.write_text("{\n" + ",\n".join(catalogue_lines(names())) + "\n}\n")


if __name__ == "__main__":
    main()
