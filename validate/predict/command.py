"""The `predict` command: photos in; masks, overlays and areas out.

Each photo's files move into their places when they are whole, so that one that is interrupted
leaves nothing. `areas.json` comes last, and tells of all photos that were painted until then.
"""

import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from export.bundle import MANIFEST
from models.errors import InputError
from validate.atomic import placed
from validate.images.reading import Picture, UnreadablePicture
from validate.images.samples import Skipped, read_channels
from validate.predict.areas import Painted, Painting, areas, overlaps, write_areas
from validate.predict.file_names import files_of, names_for
from validate.predict.masks import endings, layers, require_paintable, write_mask, write_overlay
from validate.predict.predictor import Prediction, Predictor

OVERLAY = ".overlay.jpg"
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
Progress = Callable[[str, int, int], None]
"""Is told which photo is painted, and how many of how many of its tiles are done."""


def predict(  # noqa: PLR0913 (a keyword for each option of the command)
    folder: Path,
    photos: Sequence[Path],
    *,
    formats: Sequence[str] | None = None,
    out: Path | None = None,
    tiled: bool = False,
    overlap: int | None = None,
    progress: Progress | None = None,
) -> tuple[Painting, Path]:
    """Paint `photos`, files and folders of files, with a file of the bundle in `folder`.

    That file is the first of `formats`, or of all, that runs here.
    Returns what was painted and the folder where it lies: `out`, or `NAME.predictions` beside
    the bundle. Raises InputError where something cannot be read, run or written.
    """
    if overlap is not None and not tiled:
        raise InputError("--overlap is about tiles: give --tiled too, or leave it out.")
    files = files_of(photos)
    predictor = Predictor(folder, formats)
    whole = folder.resolve()
    out = out or whole.with_name(f"{whole.name}.predictions")
    names = names_for(files, out, (*endings(predictor.bundle), OVERLAY))
    work = _Work(predictor, out, tiled, overlap, progress)
    with _explained(out):
        out.mkdir(parents=True, exist_ok=True)
        try:
            for path, name in zip(files, names, strict=True):
                work.paint(path, name)
        finally:  # a call that is stopped keeps the photos that are done
            painting = work.result(photos)
            if painting.photos:
                write_areas(painting, out)
    if not painting.photos:
        first = (*painting.unread, *painting.skipped)[0]
        raise InputError(f"There is no photo to paint ({first.name}: {first.reason}).")
    return painting, out


class _Work:
    """One call under way."""

    def __init__(
        self,
        predictor: Predictor,
        out: Path,
        tiled: bool,
        overlap: int | None,
        progress: Progress | None,
    ):
        self._predictor, self._out, self._progress = predictor, out, progress
        self._tiled, self._overlap = tiled, overlap
        self._painted: list[Painted] = []
        self._troubles: list[Skipped] = []

    def paint(self, path: Path, name: str) -> None:
        """Paint one photo; one that cannot be read is kept in mind."""
        bundle = self._predictor.bundle
        try:
            photo = read_channels(path, bundle.contract.channels)
            require_paintable(photo)
        except UnreadablePicture as error:
            self._troubles.append(Skipped(str(path), str(error)))
            return
        found = self._predict(photo, path.name)
        painted = layers(found.mask, bundle)
        masks = [self._out / f"{name}{layer.ending}" for layer in painted]
        overlay = self._out / f"{name}{OVERLAY}"
        with placed([*masks, overlay]) as parts:
            for layer, part in zip(painted, parts[:-1], strict=True):
                write_mask(layer, part)
            write_overlay(photo, painted, parts[-1])
        self._painted.append(
            Painted(
                photo=str(path),
                masks=tuple(mask.name for mask in masks),
                overlay=overlay.name,
                width=photo.shape[1],
                height=photo.shape[0],
                areas=areas(painted, bundle.labels),
                tiles=found.tiles,
                overlaps=overlaps(found.seams),
            )
        )

    def result(self, photos: Sequence[Path]) -> Painting:
        """What is done so far, of the `photos` that were asked for."""
        named = {str(path) for path in photos}
        return Painting(
            bundle=self._predictor.bundle.name,
            file=self._predictor.artifact.path,
            runtime=self._predictor.runtime,
            tiled=self._tiled,
            photos=tuple(self._painted),
            skipped=tuple(each for each in self._troubles if each.name not in named),
            unread=tuple(each for each in self._troubles if each.name in named),
        )

    def _predict(self, photo: Picture, name: str) -> Prediction:
        def tick(done: int, total: int) -> None:
            if self._progress is not None:
                self._progress(name, done, total)

        tick(0, 1)
        if self._tiled:
            return self._predictor.tiled(photo, self._overlap, tick)
        return self._predictor.stretched(photo)


@contextmanager
def _explained(out: Path) -> Iterator[None]:
    """Say in a sentence why `out` cannot be written, and that no bundle is a place for it."""
    whole = out.resolve()
    if bundle := next((up for up in (whole, *whole.parents) if (up / MANIFEST).exists()), None):
        raise InputError(
            f"{out} is {'a' if bundle == whole else 'inside a'} bundle, which is replaced whole: "
            "choose another place with --out."
        )
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in FULL:
            reason = "the disk is full"
        raise InputError(
            f"{out} cannot be written to: {reason}. Make room, or choose another place with --out."
        ) from None
