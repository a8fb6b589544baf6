"""Read the sample photos and their true masks.

01_front_bumper_hole.jpg          RGB photo, 384 × 288
masks/01_front_bumper_hole.png    palette picture of the same size: 0 background, 1 breakage
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.errors import InputError


@dataclass(frozen=True)
class LabelledPhoto:
    """Hold a photo `(H, W, 3)` in sRGB with its true mask `(H, W)`, 1 where broken."""

    path: Path
    photo: NDArray[np.uint8]
    mask: NDArray[np.uint8]


def read_samples(folder: Path) -> list[LabelledPhoto]:
    """Return every photo in `folder` that has a mask, by name.

    Raises:
        InputError: there is no such photo in `folder`.
    """
    samples = []
    for path in sorted(folder.glob("*.jpg")):
        mask = folder / "masks" / f"{path.stem}.png"
        if mask.exists():
            with Image.open(path) as photo, Image.open(mask) as labels:
                pixels = np.asarray(photo.convert("RGB"))
                samples.append(LabelledPhoto(path, pixels, np.asarray(labels)))
    if not samples:
        raise InputError(
            f"{folder} has no sample photo with a mask: give the folder samples/ that Segport "
            "brings."
        )
    return samples
