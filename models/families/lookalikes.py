"""Says what an unknown state dict looks like, so that a refusal names the likeliest cause."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

ENCODER_ALONE = "an encoder alone, which draws no mask"

# What it is, and the patterns of which each must match the start of some key. First match wins.
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
    ("an encoder and a decoder without a segmentation head", (r"encoder\.", r"decoder\.")),
    (ENCODER_ALONE, (r"encoder\.",)),
)


def likeliest(keys: Iterable[str]) -> str | None:
    """What a state dict with these keys looks like, for a message; None when unknown.

    >>> likeliest(["decoder.blocks.x_0_0.conv1.0.weight"])
    'the keys of smp UnetPlusPlus, whose blocks are x_i_j'
    """
    names = list(keys)
    for what, patterns in LOOKALIKES:
        if all(any(re.match(pattern, name) for name in names) for pattern in patterns):
            return what
    return None


def key_tree(keys: Iterable[str], most: int = 8) -> str:
    """The first levels of the keys with how many tensors lie below each.

    >>> key_tree(["a.b.weight", "a.b.bias", "c"])
    'a (2), c (1)'
    """
    counts = Counter(key.split(".")[0] for key in keys)
    listed = [f"{name} ({count})" for name, count in counts.items()]
    rest = len(listed) - most
    return ", ".join(listed[:most]) + (f" and {rest} more" if rest > 0 else "")


def nearest(keys: Iterable[str], families: Mapping[str, tuple[str, ...]], most: int = 2) -> str:
    """Which families share parts with `keys`, what fits and what does not; empty for none.

    >>> nearest(["inc.a", "odd.b"], {"U-Net": (r"inc\\.", r"outc\\.")})
    'Nearest: U-Net (1 of 2 keys fit, not odd (1); nothing is called outc).'
    """
    names = list(keys)
    fits = {
        family: [key for key in names if any(re.match(part, key) for part in parts)]
        for family, parts in families.items()
    }
    ranked = sorted(families, key=lambda family: -len(fits[family]))
    texts = [_fit(f, names, fits[f], families[f]) for f in ranked[:most] if fits[f]]
    return f"Nearest: {'; '.join(texts)}." if texts else ""


def _fit(family: str, keys: list[str], fits: list[str], parts: tuple[str, ...]) -> str:
    others = set(keys) - set(fits)
    absent = [part for part in parts if not any(re.match(part, key) for key in keys)]
    said = f"{len(fits)} of {len(keys)} keys fit"
    if others:
        said += f", not {key_tree((key for key in keys if key in others), 4)}"
    if absent:
        said += f"; nothing is called {', '.join(_readable(part) for part in absent)}"
    return f"{family} ({said})"


def _readable(pattern: str) -> str:
    """A pattern of keys as people would write it."""
    return pattern.replace("\\d+", "1").replace("\\d", "1").replace("\\.", ".").rstrip(".")
