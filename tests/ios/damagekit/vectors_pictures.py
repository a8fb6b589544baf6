"""Golden vectors of pictures: placement, orientation, resizing, half-precision numbers."""

import base64

import numpy as np
from numpy.typing import NDArray

from damagekit.geometry import FITS, Placement, place, placed, upright
from validate.ios.golden import fingerprint

SIZES = (
    ((400, 200), (256, 256)),
    ((200, 400), (256, 256)),
    ((256, 256), (256, 256)),
    ((4032, 3024), (320, 256)),
    ((3024, 4032), (320, 256)),
    ((1, 1), (64, 32)),
    ((1000, 1), (64, 64)),
    ((1, 1000), (64, 64)),
    ((1023, 767), (96, 160)),
    ((33, 47), (31, 29)),
)
HALVES = (
    *(0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x83FF),  # zeros and subnormal numbers
    *(0x0400, 0x3555, 0x3C00, 0xBC00, 0x4248, 0x7BFF, 0xFBFF),
    *(0x7C00, 0xFC00),  # infinities
)
POINTS = ((0.0, 0.0), (0.5, 0.5), (12.25, 7.75), (31.0, 29.0))


def bytes_of(array: NDArray[np.generic]) -> str:
    """The little-endian bytes of an array, row after row, as base64."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def placements() -> list[dict[str, object]]:
    """Every fit of every pair of sizes, with points taken there and back."""
    cases: list[dict[str, object]] = []
    for picture, size in SIZES:
        for fit in FITS:
            placement = place(picture, size, fit)
            cases.append(
                {
                    "picture": picture,
                    "input": size,
                    "fit": fit,
                    "source": placement.source,
                    "target": placement.target,
                    "points": [_there_and_back(placement, point) for point in POINTS],
                }
            )
    return cases


def _there_and_back(placement: Placement, point: tuple[float, float]) -> dict[str, object]:
    return {"input": point, "picture": placement.picture_point(*point)}


def orientations() -> dict[str, object]:
    """A picture of 3 × 2 different pixels, turned upright from every EXIF orientation."""
    stored = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    turned = {tag: upright(stored, tag) for tag in range(1, 9)}
    return {
        "size": [3, 2],
        "stored": stored.ravel().tolist(),
        "upright": [
            {
                "orientation": tag,
                "size": [picture.shape[1], picture.shape[0]],
                "pixels": picture.ravel().tolist(),
            }
            for tag, picture in turned.items()
        ],
    }


def resizes() -> list[dict[str, object]]:
    """Small pictures, with and without padding, in both channel orders, in every fit."""
    generator = np.random.default_rng(20)
    cases: list[dict[str, object]] = []
    for (width, height), size in (
        ((7, 5), (4, 4)),
        ((5, 7), (16, 8)),
        ((13, 3), (6, 9)),
        ((1, 1), (3, 2)),
        ((40, 30), (16, 16)),
        ((8, 8), (8, 8)),
    ):
        picture = generator.integers(0, 256, (height, width, 3)).astype(np.uint8)
        for number, fit in enumerate(FITS):
            order, padding = ("rgba", 0) if number % 2 == 0 else ("bgra", 12)
            placement = place((width, height), size, fit)
            cases.append(
                {
                    "size": [width, height],
                    "bytes_per_row": 4 * width + padding,
                    "order": order,
                    "bytes": bytes_of(_stored(picture, order, padding)),
                    "input": size,
                    "fit": fit,
                    "pixels": bytes_of(_opaque(placed(picture, placement))),
                }
            )
    return cases


def _opaque(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])


def _stored(picture: NDArray[np.uint8], order: str, padding: int) -> NDArray[np.uint8]:
    """The picture's bytes as a phone holds them, padded with bytes that must not be read."""
    pixels = _opaque(picture if order == "rgba" else picture[:, :, ::-1])
    rows = pixels.reshape(len(pixels), -1)
    return np.pad(rows, ((0, 0), (0, padding)), constant_values=77)


def halves() -> dict[str, object]:
    """Half-precision numbers as bits, with the bits of the equal single-precision number."""
    bits = np.array(HALVES, np.uint16)
    singles = bits.view(np.float16).astype(np.float32).view(np.uint32)
    every = np.arange(0x10000, dtype=np.uint32).astype(np.uint16)
    finite = every[np.isfinite(every.view(np.float16))]
    return {
        "pairs": [[int(a), int(b)] for a, b in zip(bits, singles, strict=True)],
        "all_finite": fingerprint(finite.view(np.float16).astype("<f4").tobytes()),
    }
