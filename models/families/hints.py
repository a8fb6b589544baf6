"""Say what an unknown state dict looks like, so that a refusal names the likeliest cause."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import permutations

from models.common.text import listed, shown

LEAST = 0.25
"""Share of the keys that must fit a family before it is named as near."""
SMP_PARTS = ("encoder", "decoder", "segmentation_head")
"""First parts of the keys of every network of smp."""
MOST_PARTS = 4
"""First parts of keys beyond which they are not tried as parts of smp's networks."""
MOST_KEYS = 5_000
"""Keys beyond which they are not tried: more than any network of smp has."""
ENCODER_ALONE = "an encoder alone, which draws no mask"

LOOKALIKES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("the keys of smp UnetPlusPlus, whose blocks are x_i_j", (r"decoder\.blocks\.x_\d_\d\.",)),
    ("the keys of smp MAnet", (r"decoder\.center\.(top|center|bottom|out)_conv",)),
    ("the keys of smp Linknet", (r"decoder\.blocks\.\d+\.block\.",)),
    ("the keys of smp FPN", (r"decoder\.p5\.",)),
    ("the keys of smp UPerNet", (r"decoder\.psp\.", r"decoder\.fpn_")),
    ("the keys of smp PSPNet", (r"decoder\.psp\.",)),
    ("the keys of smp DeepLabV3Plus", (r"decoder\.aspp\.0\.",)),
    ("the keys of smp DeepLabV3", (r"decoder\.(0|aspp)\.convs\.",)),
    ("the keys of smp PAN", (r"decoder\.fpa\.",)),
    ("the keys of smp Segformer", (r"decoder\.mlp_stage",)),
    ("the keys of smp DPT", (r"decoder\.(reassemble|fusion)_blocks",)),
    ("the keys of a network of nnU-Net", (r"encoder\.stages\.", r"decoder\.seg_layers\.")),
    ("the keys of a U-Net of MONAI", (r"(model\.)?\d\.(conv\.unit0|submodule)\.",)),
    ("the keys of fastai's DynamicUnet", (r"layers\.\d+\.shuf\.",)),
    ("the keys of a diffusion model's U-Net", (r"down_blocks\.", r"up_blocks\.", r"conv_in\.")),
    ("the keys of Segment Anything", (r"image_encoder\.", r"mask_decoder\.")),
    ("the keys of a Mask2Former or MaskFormer", (r"(model\.)?pixel_level_module\.",)),
    ("the keys of an MMSegmentation network", (r"backbone\.", r"decode_head\.")),
    ("the keys of a Transformers Segformer", (r"(segformer|decode_head)\.",)),
    ("the keys of a torchvision detector", (r"backbone\.", r"roi_heads\.")),
    ("the keys of a torchvision segmentation network", (r"backbone\.", r"classifier\.")),
    ("the keys of a YOLO detector", (r"(model\.)?0\.conv\.weight",)),
    (
        f"the keys of a torchvision ResNet classifier (fc.weight, no decoder): {ENCODER_ALONE}",
        (r"layer1\.0\.conv1\.", r"fc\."),
    ),
    (
        f"the keys of an image classifier: {ENCODER_ALONE}",
        (r"(features|blocks|stages|layer1)\.", r"(fc|classifier|head|last_linear|_fc)\."),
    ),
    (
        "the keys of TransUNet, but not of its hybrid form with patches of one pixel",
        (r"transformer\.embeddings\.", r"decoder\."),
    ),
    ("an encoder and a decoder of another kind", (r"encoder\.", r"decoder\.")),
    (ENCODER_ALONE, (r"encoder\.",)),
)
"""Names of what a state dict looks like: the first is taken of which each pattern matches the start
of some key."""


def likeliest(keys: Iterable[str]) -> str | None:
    """Return what a state dict with these keys looks like, for a message; None when unknown.

    >>> likeliest(["decoder.blocks.x_0_0.conv1.0.weight"])
    'the keys of smp UnetPlusPlus, whose blocks are x_i_j'
    """
    names = list(keys)
    for what, patterns in LOOKALIKES:
        if all(any(re.match(pattern, name) for name in names) for pattern in patterns):
            return what
    return None


def key_tree(keys: Iterable[str], most: int = 8, among: Sequence[str] | None = None) -> str:
    """Return the first parts in which the keys differ, with how many keys start with each.

    `among` are the keys that are compared, where `keys` are only some of them.

    >>> key_tree(["net.a.b.weight", "net.a.b.bias", "net.c"])
    'net.a (2), net.c (1)'
    """
    counted = list(keys)
    paths = [key.split(".") for key in among or counted]
    level = 1
    while len({tuple(path[:level]) for path in paths}) == 1 and len(paths[0]) > level:
        level += 1
    counts = Counter(".".join(key.split(".")[:level]) for key in counted)
    return listed([f"{shown(name)} ({count})" for name, count in counts.items()], most)


def part_names(keys: Iterable[str]) -> Iterator[dict[str, str]]:
    """Yield every way in which first parts of `keys` may stand for the smp parts that lack.

    >>> list(part_names(["encoder.conv1.weight", "dec.blocks.0.a", "segmentation_head.0.bias"]))
    [{'dec': 'decoder'}]
    """
    named = list(keys)
    firsts = {key.partition(".")[0]: None for key in named if "." in key}
    absent = [part for part in SMP_PARTS if part not in firsts]
    others = [name for name in firsts if name not in SMP_PARTS]
    if absent and len(others) <= MOST_PARTS and len(named) <= MOST_KEYS:
        for names in permutations(others, len(absent)):
            yield dict(zip(names, absent, strict=True))


def nearest(keys: Iterable[str], families: Mapping[str, tuple[str, ...]], most: int = 2) -> str:
    """Name the families that share parts with `keys`, what fits and what does not; "" for none.

    >>> nearest(["inc.a", "odd.b"], {"U-Net": (r"inc\\.", r"outc\\.")})
    'Nearest: U-Net (1 of 2 keys fit, not odd (1); there is nothing like outc).'
    """
    names = list(keys)
    fits = {
        family: [key for key in names if any(re.match(part, key) for part in parts)]
        for family, parts in families.items()
    }
    absent = {
        family: [part for part in parts if not any(re.match(part, key) for key in names)]
        for family, parts in families.items()
    }
    ranked = sorted(families, key=lambda family: (-len(fits[family]), len(absent[family])))
    near = [family for family in ranked[:most] if len(fits[family]) >= LEAST * len(names)]
    texts = [_fit(family, names, fits[family], absent[family]) for family in near]
    return f"Nearest: {'; '.join(texts)}." if texts else ""


def _fit(family: str, keys: list[str], fits: list[str], absent: list[str]) -> str:
    others = set(keys) - set(fits)
    said = f"{len(fits)} of {len(keys)} keys fit"
    if others:
        said += f", not {key_tree((key for key in keys if key in others), 4, keys)}"
    if absent:
        said += f"; there is nothing like {', '.join(_readable(part) for part in absent)}"
    return f"{family} ({said})"


def _readable(pattern: str) -> str:
    r"""Return one of the starts of keys that a pattern matches, as people would write it.

    >>> _readable(r"(up|dec)\d*[._]")
    'up1'
    """
    pattern = pattern.replace("\\.", ".")
    pattern = re.sub(r"\\d[*+]?(?!\?)", "1", re.sub(r"\\d\?", "", pattern))
    pattern = re.sub(r"\[(.)[^]]*\]", r"\1", pattern).replace("\\w+", "x").replace("_?", "")
    while (plain := re.sub(r"\(([^()|]*)[^()]*\)", r"\1", pattern)) != pattern:
        pattern = plain
    return pattern.partition("|")[0].rstrip(".")
