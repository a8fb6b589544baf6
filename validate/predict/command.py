"""Predict photos: masks, overlays and areas of files and of folders of files.

A photo's files move into their places when they are whole, so that an interruption leaves no
half one, and the same call goes on after the last whole photo. `areas.json` and `areas.csv` are
written at the end, also where that is an interruption.
"""

import errno
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from export.bundle import MANIFEST
from models.common.cli import Progress
from models.common.hashing import sha256_of
from models.errors import InputError
from validate.atomic import placed
from validate.images.ahead import ahead
from validate.images.reading import Picture, UnreadablePicture
from validate.images.samples import Skipped, read_channels
from validate.predict.areas import PredictedPhoto, Predictions, areas, overlaps, write_areas
from validate.predict.file_names import files_of, left_out, names_for
from validate.predict.masks import endings, layers, require_paintable, write_mask, write_overlay
from validate.predict.predictor import Predictor, TileDone
from validate.predict.resume import DonePhotos, done_photos

OVERLAY = ".overlay.jpg"
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def predict(  # noqa: PLR0913 (a keyword for each option of the command)
    folder: Path,
    photos: Sequence[Path],
    *,
    formats: Sequence[str] | None = None,
    out: Path | None = None,
    tiled: bool = False,
    overlap: int | None = None,
    progress: Progress = lambda *_: None,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[Predictions, Path]:
    """Predict `photos`, files and folders of files, with a file of the bundle in `folder`.

    `progress` is given the photo's name, how many photos are done and how many there are; `tell`
    is given sentences about an interruption. The file is the one of `formats`, or of all, that
    was the fastest to pass. Return the predictions and the folder where they
    lie: `out`, or `NAME.predictions` beside the bundle. Raise InputError where something cannot
    be read, run or written.
    """
    if overlap is not None and not tiled:
        raise InputError("--overlap is about tiles: give --tiled too, or leave it out.")
    files = files_of(photos)
    predictor = Predictor(folder, formats)
    whole = folder.resolve()
    out = out or whole.with_name(f"{whole.name}.predictions")
    names = names_for(files, out, (*endings(predictor.bundle), OVERLAY))
    job = _Job(predictor, photos, out, tiled, overlap)
    call = {
        "bundle": sha256_of(folder / MANIFEST),
        "file": f"{predictor.artifact.path} in {predictor.runtime}",
        "tiled": tiled,
        "overlap": overlap,
    }
    with _explained(out):
        out.mkdir(parents=True, exist_ok=True)
        with done_photos(out, call) as done:
            job.run(list(zip(files, names, strict=True)), done, progress, tell)
    if not job.done:
        first = (*job.result().unread, *job.result().skipped)[0]
        raise InputError(f"There is no photo to paint ({first.name}: {first.reason}).")
    return job.result(), out


class _Job:
    """Run one call, and hold the photos that are done and those that cannot be read."""

    def __init__(
        self,
        predictor: Predictor,
        asked: Sequence[Path],
        out: Path,
        tiled: bool,
        overlap: int | None,
    ):
        self._predictor, self._out = predictor, out
        self._tiled, self._overlap = tiled, overlap
        self._asked = {str(path) for path in asked}
        self._troubles = left_out(asked, out)
        self.done: list[PredictedPhoto] = []

    def run(
        self,
        files: Sequence[tuple[Path, str]],
        earlier: DonePhotos,
        progress: Progress,
        tell: Callable[[str], None],
    ) -> None:
        """Predict all `files`, each with the name of its outputs, but for those done `earlier`."""
        of = f"{len(files):,} files"
        todo = []
        for path, name in files:
            if (photo := earlier.find(path, self._outputs(name))) is not None:
                self.done.append(photo)
            else:
                todo.append((path, name))
        kept = len(files) - len(todo)
        if kept:
            tell(f"Going on after {kept:,} of {of}, which an interrupted call has done.")
        try:
            channels = self._predictor.bundle.contract.channels
            photos = ahead(lambda each: read_channels(each[0], channels), todo)
            for number, ((path, name), reading) in enumerate(photos, kept):

                def tick(tile: int, tiles: int, path: Path = path, number: int = number) -> None:
                    progress(f"{path.name}, tile {tile + 1} of {tiles}", number, len(files))

                progress(path.name, number, len(files))
                if (photo := self._predicted(path, name, reading, tick)) is not None:
                    self.done.append(photo)
                    earlier.add(path, photo)
        except KeyboardInterrupt:
            if self.done:
                tell(f"{len(self.done):,} of {of} are done: the same command goes on from there.")
            raise
        finally:
            order = {str(path): number for number, (path, _) in enumerate(files)}
            self.done.sort(key=lambda photo: order[photo.photo])
            if self.done:
                write_areas(self.result(), self._out)

    def _predicted(
        self, path: Path, name: str, reading: Future[Picture], tick: TileDone
    ) -> PredictedPhoto | None:
        """Predict one photo and write its files; None where it cannot be read."""
        bundle = self._predictor.bundle
        try:
            photo = reading.result()
            require_paintable(photo)
        except UnreadablePicture as error:
            self._troubles.append(Skipped(str(path), str(error)))
            return None
        if self._tiled:
            found = self._predictor.tiled(photo, self._overlap, tick)
        else:
            found = self._predictor.stretched(photo)
        painted = layers(found.mask, bundle)
        *masks, overlay = outputs = self._outputs(name)
        with placed([self._out / output for output in outputs]) as parts:
            for layer, part in zip(painted, parts[:-1], strict=True):
                write_mask(layer, part)
            write_overlay(photo, painted, parts[-1])
        return PredictedPhoto(
            photo=str(path),
            masks=tuple(masks),
            overlay=overlay,
            width=photo.shape[1],
            height=photo.shape[0],
            areas=areas(painted, bundle.labels),
            tiles=found.tiles,
            overlaps=overlaps(found.seams),
        )

    def _outputs(self, name: str) -> tuple[str, ...]:
        """Return the names of a photo's masks and, last, of its overlay."""
        ends = (*endings(self._predictor.bundle), OVERLAY)
        return tuple(f"{name}{end}" for end in ends)

    def result(self) -> Predictions:
        """Return the photos that are done so far."""
        return Predictions(
            bundle=self._predictor.bundle.name,
            file=self._predictor.artifact.path,
            runtime=self._predictor.runtime,
            tiled=self._tiled,
            photos=tuple(self.done),
            skipped=tuple(each for each in self._troubles if each.name not in self._asked),
            unread=tuple(each for each in self._troubles if each.name in self._asked),
        )


@contextmanager
def _explained(out: Path) -> Iterator[None]:
    """Raise InputError where `out` is in a bundle, or cannot be written in the block."""
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
