"""List the words by which training scripts name what they store, with what each word means."""

import re

_LONGEST = 500
"""Characters of a name in which words are looked for."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def words(name: str) -> frozenset[str]:
    """Return the words of a name, in lower case.

    >>> sorted(words("state_dict_ema")), sorted(words("ModelEMA"))
    (['dict', 'ema', 'state'], ['ema', 'model'])
    """
    return frozenset(word.lower() for word in _WORD.findall(name[:_LONGEST]))


_EMA = frozenset("ema swa shadow averaged average avg polyak".split())
_Table = tuple[tuple[str, frozenset[str]], ...]


def _table(*rows: tuple[str, str]) -> _Table:
    return tuple((reason, frozenset(known.split())) for reason, known in rows)


_ENTRIES = _table(
    ("optimizer state", "optimizer optimizers optim opt"),
    ("learning rate schedule", "scheduler schedulers schedule sched"),
    ("gradient scaler state", "scaler amp scaling plugin"),
    ("callback state", "callback callbacks"),
    ("training loop state", "loops loop sampler loader dataloader datamodule"),
    ("random number generator state", "rng random"),
    ("loss function state", "loss losses criterion criteria"),
    ("training history", "metric metrics history log logs results"),
)
_NETWORK = frozenset("model net network unet".split())
_BUFFERS = _table(
    ("belongs to the loss, not to the network", "loss losses criterion criteria lpips perceptual"),
    (
        "belongs to a metric, not to the network",
        "metric metrics iou miou dice jaccard accuracy acc f1 fbeta precision recall confmat "
        "confusion auroc auc",
    ),
    ("belongs to the optimizer, not to the network", "optimizer optim"),
)
NORMALISATION = {
    "mean": "input normalisation of the training module: see MEAN=",
    "std": "input normalisation of the training module: see STD=",
    "pixel_mean": "input normalisation of the training module: see MEAN=",
    "pixel_std": "input normalisation of the training module: see STD=",
}
"""Buffers by which training modules, such as smp's Lightning example, normalise their input."""

_SINGLE = {
    **NORMALISATION,
    "n_averaged": "counts the steps of weight averaging",
    "class_weights": "belongs to the loss, not to the network",
    "pos_weight": "belongs to the loss, not to the network",
}

WRAPPERS = frozenset(
    "module model _orig_mod net network student teacher segmentor backbone_model generator ema "
    "ema_model model_ema averaged_model swa_model wrapped wrapped_model inner _model _module "
    "_forward_module _fsdp_wrapped_module base_model seg_model segmentation_model".split()
)
"""Components that hold a whole network in every project known to us."""

PARTS = frozenset(
    "encoder decoder segmentation_head classification_head backbone neck head decode_head "
    "features classifier stem layers blocks stages body trunk aux auxiliary_head".split()
)
"""Components that are a part of a network: a state dict of one of them alone keeps its name."""

ROLES = frozenset(
    "student teacher generator discriminator netg netd critic online target g d".split()
)
"""Names of networks that are trained against each other."""


def is_ema(name: str) -> bool:
    """Return whether an entry or a prefix of this name holds averaged weights."""
    return bool(words(name) & _EMA)


def entry_reason(name: str) -> str:
    """Return why an entry of a training script's dict is not the network; "" if it may be."""
    found = words(name)
    if found & _NETWORK:  # as in "best_metric_model"
        return ""
    return next((reason for reason, known in _ENTRIES if found & known), "")


def buffer_reason(key: str) -> str:
    """Return why a key beside the network may be ignored, by its first component; else ""."""
    first, _, rest = key.partition(".")
    if not rest and first in _SINGLE:
        return _SINGLE[first]
    found = words(first)
    return next((reason for reason, known in _BUFFERS if found & known), "")
