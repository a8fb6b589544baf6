"""Predict the mask of any photo with one file of a bundle, and nothing but the bundle.

stretched    the photo becomes as large as the file's input, as in training and on the phone,
             and the mask is scaled back to the photo (nearest neighbour)
tiled        the photo keeps its size and is cut into tiles of the file's input: see tiles.py
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.bundle import Artifact, Bundle, read_bundle, verify_files
from export.bundle_consistency import SMALL
from models.common.text import first_line
from models.errors import InputError
from validate.images.reading import Picture, stretch
from validate.predict.blend import Seams, tiled_mask
from validate.predict.tiles import Mask, TiledSide, plan
from validate.report.json_file import read_results
from validate.runtimes import NotRun, Opener, OutOfScope, Outputs, Runtime, runtimes_for

CLASSES = 256
"""Classes that one byte a pixel tells apart."""
TileDone = Callable[[int, int], None]
"""Is given how many tiles of the photo are done, and how many there are."""


@dataclass(frozen=True)
class Prediction:
    """Hold a photo's mask, of the photo's size; `tiles` and `seams` are None when stretched."""

    mask: Mask
    tiles: int | None = None
    seams: Seams | None = None


class Predictor:
    """Run one file of a bundle on photos of any size.

    Of `formats`, or of all, it is the fastest file that passed when the bundle was judged. Raises
    InputError when the folder is no whole bundle, or has no such file that runs here.
    """

    def __init__(self, folder: Path, formats: Sequence[str] | None = None):
        self.bundle = read_bundle(folder)
        _require_mask_of_bytes(self.bundle, folder)
        verify_files(self.bundle, folder)
        self.artifact, opener = _chosen(self.bundle, folder, formats)
        self.runtime = opener.runtime
        try:
            self._loaded: Runtime = opener.open(folder / self.artifact.path, self.bundle)
        except Exception as error:
            raise self._failed("does not load", error) from None

    def stretched(self, photo: Picture) -> Prediction:
        """Return the mask of `photo (H, W, C)`, stretched to the size of the file's output.

        An unpadded network's input is larger than that: the photo is mirrored all around.
        """
        contract, margin = self.bundle.contract, self.bundle.specification.margin
        columns, rows = (
            TiledSide(side - 2 * margin, side, margin, side - 2 * margin)
            for side in (contract.width, contract.height)
        )
        picture = stretch(photo, columns.size, rows.size)
        mask = self._run(picture[rows.pixels(0)][:, columns.pixels(0)]).mask.astype(np.uint8)
        return Prediction(nearest(mask, *photo.shape[:2]))

    def tiled(
        self, photo: Picture, overlap: int | None = None, tick: TileDone = lambda *_: None
    ) -> Prediction:
        """Return the mask of `photo (H, W, C)` from tiles that overlap by `overlap` pixels.

        Raise InputError where tiles cannot overlap so: see `validate.predict.tiles.plan`.
        """
        tiling = plan(photo, self.bundle.contract, self.bundle.specification, overlap)
        done = 0

        def run(tile: Picture) -> NDArray[np.float32]:
            nonlocal done
            tick(done, tiling.tiles)
            logits = self._run(tile).logits
            done += 1
            return logits

        independent = self.bundle.specification.independent
        mask, seams = tiled_mask(photo, tiling, run, independent=independent)
        return Prediction(mask, tiling.tiles, seams)

    def _run(self, image: Picture) -> Outputs:
        try:
            outputs = self._loaded.run(np.ascontiguousarray(image))
        except Exception as error:
            raise self._failed("does not run", error) from None
        if not np.isfinite(outputs.logits).all():
            raise InputError(
                f"{self.artifact.path} gives NaN or infinite logits in {self.runtime}: its mask "
                "would mean nothing. Ask for another file with --formats, or validate the bundle."
            )
        return outputs

    def _failed(self, what: str, error: Exception) -> InputError:
        """Return a sentence about a runtime's error: the file is wrong, or something is missing."""
        if isinstance(error, OutOfScope):
            what = "cannot be run"
        reason = first_line(error, 300).rstrip(".")
        return InputError(
            f"{self.artifact.path} {what} in {self.runtime}: {reason}. Ask for another file with "
            "--formats."
        )


def nearest(mask: Mask, height: int, width: int) -> Mask:
    """Resize `mask (…, h, w)`: each new pixel takes the value of that its centre lies in."""
    rows, columns = (
        (2 * np.arange(wanted) + 1) * size // (2 * wanted)
        for size, wanted in zip(mask.shape[-2:], (height, width), strict=True)
    )
    return np.asarray(mask[..., rows, :][..., columns])


def _require_mask_of_bytes(bundle: Bundle, folder: Path) -> None:
    classes = bundle.specification.classes
    if classes > CLASSES and not bundle.specification.independent:
        raise InputError(
            f"{folder} has {classes} classes, and the PNG of a mask tells {CLASSES} apart: run "
            "its files in a program of your own."
        )


def _chosen(bundle: Bundle, folder: Path, formats: Sequence[str] | None) -> tuple[Artifact, Opener]:
    """Return the file of `formats`, or of all, that was fastest to pass, with its runtime."""
    there = {artifact.key: artifact for artifact in bundle.artifacts}
    asked = formats or [each for each in there if each != SMALL]
    candidates = [there[each] for each in asked if each in there]
    if not candidates:
        raise InputError(
            f"{folder} has no {' or '.join(formats or ())} file: it has {', '.join(there)}. Ask "
            "for one of these."
        )
    found, reasons = [], []
    for artifact in candidates:
        for runtime in runtimes_for(artifact, None):
            if isinstance(runtime, NotRun):
                reasons.append(f"{artifact.path}: {runtime.reason}")
            else:
                found.append((artifact, runtime))
    if not found:
        raise InputError(f"No runtime for {folder} is here ({'; '.join(reasons)}).")
    times = _times(folder)
    return min(found, key=lambda each: times.get((each[0].path, each[1].runtime), math.inf))


def _times(folder: Path) -> dict[tuple[str, str], float]:
    """Return milliseconds of each file and runtime that passed; none without a judgement."""
    try:
        results = read_results(folder).results
    except InputError:
        return {}
    passed = [each for each in results if each.status == "passed"]
    return {(each.path, each.runtime): each.milliseconds or math.inf for each in passed}
