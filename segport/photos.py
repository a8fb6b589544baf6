"""Read photos that are files, folders of files, or arrays in memory."""

from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import InputError
from validate.images.arrays import as_picture
from validate.images.folders import photos_in
from validate.images.reading import Picture, UnreadablePicture
from validate.images.samples import read_channels


class Photos:
    """Hold photos that were named, or are in memory.

    Raises InputError where a file or folder is not there, or there is nothing in it.
    """

    def __init__(self, given: object):
        self._named: list[Path | NDArray[Any]] = []
        self._passed_over: set[str] = set()
        if isinstance(given, Sequence) and not isinstance(given, str):
            for photo in given:
                self._add(photo)
        else:
            self._add(given)

    def _add(self, photo: object) -> None:
        if isinstance(photo, np.ndarray):
            self._named.append(photo)
        elif not isinstance(photo, str | PathLike):
            raise InputError(
                f"A {type(photo).__name__} is no photo: give paths, or NumPy arrays "
                "(height, width, channels)."
            )
        else:
            files = photos_in(Path(photo))
            if Path(photo).is_dir():
                self._passed_over.update(map(str, files))
            self._named.extend(files)

    def read(self, channels: int) -> Iterator[tuple[str, Picture]]:
        """Yield each photo `(H, W, channels)` with its path, or its place among all.

        Files of a folder that are no pictures are passed over; raises InputError for any other.
        """
        for place, photo in enumerate(self._named):
            name = str(place) if isinstance(photo, np.ndarray) else str(photo)
            try:
                if isinstance(photo, np.ndarray):
                    yield name, as_picture(photo, channels)
                else:
                    yield name, read_channels(photo, channels)
            except UnreadablePicture as error:
                if name not in self._passed_over:
                    raise InputError(f"Photo {name} cannot be used: {error}.") from None
