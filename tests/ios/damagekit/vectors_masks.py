"""Golden vectors of masks: strided reading, decisions, runs, areas and overlays."""

import numpy as np
from numpy.typing import NDArray

from damagekit.geometry import FITS, place, restore
from damagekit.masks import areas_in, decide, paint, parse_colour, read_strided
from damagekit.vectors_pictures import bytes_of
from validate.ios.golden import runs

TYPES = {"float16": np.float16, "float32": np.float32, "int32": np.int32}
PALETTE = ("0x00000000", "0xD55E0099", "0x0072B2FF", "0x01FE8001")


def strided() -> dict[str, object]:
    """Tensors in padded memory with what they hold, and layouts that must be refused."""
    generator = np.random.default_rng(21)
    layouts = (
        ((1, 3, 4, 5), (3 * 4 * 8, 4 * 8, 8, 1)),
        ((2, 3, 4), (64, 16, 1)),
        ((3, 7), (7, 1)),
        ((3, 7), (32, 1)),
        ((1, 2, 3, 3), (0, 1, 12, 2)),  # channels last, with a gap
    )
    cases = []
    for shape, strides in layouts:
        needed = 1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
        for name, kind in TYPES.items():
            numbers = generator.integers(-9, 10, needed).astype(kind)
            values = read_strided(numbers.tobytes(), name, shape, strides)
            cases.append(
                {
                    "type": name,
                    "shape": shape,
                    "strides": strides,
                    "buffer": bytes_of(numbers),
                    "values": values.astype(np.float64).ravel().tolist(),
                }
            )
    return {"cases": cases, "refused": _refused()}


def _refused() -> list[dict[str, object]]:
    return [
        {"shape": [4], "strides": [1], "bytes": 64, "error": "shape"},
        {"shape": [2, 1, 4, 4], "strides": [16, 16, 4, 1], "bytes": 512, "error": "shape"},
        {"shape": [0, 4], "strides": [4, 1], "bytes": 64, "error": "shape"},
        {"shape": [4, 4], "strides": [1], "bytes": 64, "error": "strides"},
        {"shape": [4, 4], "strides": [-4, 1], "bytes": 64, "error": "strides"},
        {"shape": [4, 4], "strides": [4, 1], "bytes": 63, "error": "buffer"},
        {"shape": [4, 4], "strides": [64, 1], "bytes": 64, "error": "buffer"},
    ]


def decisions() -> dict[str, object]:
    """Logits with ties, zeros and negative zeros, and logits that are not finite."""
    generator = np.random.default_rng(22)
    cases = []
    for channels in (1, 2, 5):
        coarse = generator.integers(-2, 3, (channels, 6, 7)).astype(np.float32)
        fine = generator.normal(size=(channels, 6, 7)).astype(np.float32)
        fine[:, 0, 0] = -0.0
        for threshold in (0.0, 1.0) if channels == 1 else (0.0,):
            cases += [_decision(coarse, threshold), _decision(fine, threshold)]
    refused = []
    for channels, bad in ((1, np.nan), (2, np.nan), (2, np.inf), (3, -np.inf)):
        logits = np.zeros((channels, 2, 3), np.float32)
        logits[-1, 1, 2] = bad
        refused.append({"shape": logits.shape, "logits": bytes_of(logits), "count": 1})
    return {"cases": cases, "not_finite": refused}


def _decision(logits: NDArray[np.float32], threshold: float) -> dict[str, object]:
    return {
        "shape": logits.shape,
        "threshold": threshold,
        "logits": bytes_of(logits),
        "mask": decide(logits, threshold).ravel().tolist(),
    }


def restored() -> list[dict[str, object]]:
    """Masks of a model's input, on the pictures that they belong to."""
    generator = np.random.default_rng(23)
    cases: list[dict[str, object]] = []
    for picture, size in (((9, 5), (4, 4)), ((3, 10), (6, 5)), ((4, 4), (4, 4))):
        mask = generator.integers(0, 4, (size[1], size[0])).astype(np.int32)
        cases += [
            {
                "picture": picture,
                "input": size,
                "fit": fit,
                "mask": mask.ravel().tolist(),
                "restored": restore(mask, place(picture, size, fit)).ravel().tolist(),
            }
            for fit in FITS
        ]
    return cases


def run_lengths() -> dict[str, object]:
    """Masks as runs, and runs that do not fit."""
    generator = np.random.default_rng(24)
    masks = (
        np.zeros((3, 4), np.int32),
        np.array([[5]], np.int32),
        generator.integers(0, 2, (6, 8)).astype(np.int32),
        np.repeat(generator.integers(0, 3, (4, 2)), 5, axis=1).astype(np.int32),
    )
    cases = [
        {"size": [m.shape[1], m.shape[0]], "mask": m.ravel().tolist(), "runs": runs(m)}
        for m in masks
    ]
    refused = [[0, 11], [0, 13], [0, 12, 1], [0, 12, 1, 0], [-1, 12], [0, -1, 0, 13], []]
    return {"cases": cases, "refused": {"size": [4, 3], "runs": refused}}


def covered() -> list[dict[str, object]]:
    """Areas in the whole mask, in a part of it, and in a region that lies partly outside."""
    mask = np.array([[0, 1, 1, 2], [0, 1, 5, 2], [0, 0, 0, 0]], np.int32)
    regions = (None, (1, 0, 2, 2), (2, 1, 9, 9), (-3, -3, 4, 4), (9, 9, 2, 2))
    return [
        {
            "size": [4, 3],
            "mask": mask.ravel().tolist(),
            "classes": classes,
            "region": region,
            "areas": areas_in(mask, classes, region),
        }
        for classes in (2, 3, 6)
        for region in regions
    ]


def overlays() -> dict[str, object]:
    """A mask with every class of a palette and one beyond it, painted in several ways."""
    mask = np.array([[0, 1, 2], [3, 4, 1]], np.int32)
    palette = [colour for colour in map(parse_colour, PALETTE) if colour is not None]
    cases = [
        {
            "hidden": hidden,
            "opacity": opacity,
            "alpha": alpha,
            "pixels": paint(
                mask,
                palette,
                hidden=hidden,
                opacity=opacity,
                premultiplied=alpha == "premultiplied",
            )
            .ravel()
            .tolist(),
        }
        for alpha in ("premultiplied", "straight")
        for opacity in (1.0, 0.5, 0.3, 0.0, -1.0, 7.0)
        for hidden in ([], [1], [0, 2])
    ]
    refused = ["", "D55E0099", "0xD55E00", "0xD55E00999", "0xD55E00GG", "0x+55E0099", "0x12 34 56"]
    return {
        "size": [3, 2],
        "mask": mask.ravel().tolist(),
        "palette": PALETTE,
        "colours": palette,
        "cases": cases,
        "no_colours": refused,
    }
