"""Masks of any photo from one file of a bundle, with nothing but the bundle.

stretched    the photo becomes as large as the file's input, as in training and on the phone,
             and the mask is scaled back to the photo (nearest neighbour)
tiled        the photo keeps its size and is cut into tiles of the file's input: see tiles.py
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.bundle import Artifact, Bundle, read_bundle, verify_files
from models.errors import InputError
from validate.images.reading import Picture, stretch
from validate.predict.tiles import Axis, Mask, Seams, plan, tiled_mask
from validate.runtimes import NotRun, Opener, OutOfScope, Outputs, Runtime, runtimes_for

CLASSES = 256
"""What one byte a pixel tells apart."""
Tick = Callable[[int, int], None]
"""Is told how many of how many tiles of the photo are done."""


@dataclass(frozen=True)
class Prediction:
    """A photo's mask, of its own size; `tiles` and `seams` are None when stretched."""

    mask: Mask
    tiles: int | None = None
    seams: Seams | None = None


class Predictor:
    """One file of a bundle, loaded, and the way in which photos are taken to it.

    Raises InputError when the folder is no whole bundle, or has no such file that runs here.
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
        """The mask of `photo (H, W, C)`, stretched to what the file gives a mask of.

        That is the input's size; for an unpadded network its output's, mirrored all around.
        """
        contract, margin = self.bundle.contract, self.bundle.specification.margin
        columns, rows = (
            Axis(side - 2 * margin, side, margin, side - 2 * margin)
            for side in (contract.width, contract.height)
        )
        picture = stretch(photo, columns.size, rows.size)
        mask = self._run(picture[rows.pixels(0)][:, columns.pixels(0)]).mask.astype(np.uint8)
        return Prediction(nearest(mask, *photo.shape[:2]))

    def tiled(
        self, photo: Picture, overlap: int | None = None, tick: Tick | None = None
    ) -> Prediction:
        """The mask of `photo (H, W, C)` at its own size, by tiles that overlap by `overlap`.

        Raises InputError where tiles cannot overlap so: see `validate.predict.tiles.plan`.
        """
        tiling = plan(photo, self.bundle.contract, self.bundle.specification, overlap)
        done = 0

        def run(tile: Picture) -> NDArray[np.float32]:
            nonlocal done
            logits = self._run(tile).logits
            done += 1
            if tick is not None:
                tick(done, tiling.tiles)
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
        """Whatever a runtime raises says something of the file, or of what is missing here."""
        if isinstance(error, OutOfScope):
            what = "cannot be run"
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = lines[0].rstrip(".")[:300] if lines else type(error).__name__
        return InputError(
            f"{self.artifact.path} {what} in {self.runtime}: {reason}. Ask for another file with "
            "--formats."
        )


def nearest(mask: Mask, height: int, width: int) -> Mask:
    """`mask (…, h, w)` at another size: each pixel takes the one that its centre lies in."""
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
    """The first file of `formats`, or of the bundle, with the first runtime that is here."""
    there = {artifact.format: artifact for artifact in bundle.artifacts}
    candidates = [there[each] for each in formats or there if each in there]
    if not candidates:
        raise InputError(
            f"{folder} has no {' or '.join(formats or ())} file: it has {', '.join(there)}. Ask "
            "for one of these."
        )
    reasons = []
    for artifact in candidates:
        for runtime in runtimes_for(artifact, None):
            if not isinstance(runtime, NotRun):
                return artifact, runtime
            reasons.append(f"{artifact.path}: {runtime.reason}")
    raise InputError(f"No runtime for {folder} is here ({'; '.join(reasons)}).")
