"""Find the pictures that a bundle is judged on, and load them one at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.errors import InputError
from models.specification import InputContract
from validate.images.ahead import ahead
from validate.images.arrays import SUFFIX, mixed, read_array
from validate.images.folders import RENDERED, photos_in
from validate.images.reading import MODES, Picture, UnreadablePicture, read_picture, stretch

RENDERED_ORIGIN = "the rendered samples"
LISTED_ORIGIN = "the list given"
Source = Path | Sequence[Path] | None
"""A folder of photos, some photos, or the project's own samples."""


@dataclass(frozen=True)
class Sample:
    """Hold one picture, stretched to the contract's size: `image (H, W, channels)`.

    `index` is its place among the files; `resized` tells that it had another size there, and
    `proportions` is width over height there.
    """

    name: str
    image: Picture
    index: int = 0
    resized: bool = False
    proportions: float = 1.0


@dataclass(frozen=True)
class Skipped:
    """Hold the name of a file that was not used, and the reason."""

    name: str
    reason: str


@dataclass
class Samples:
    """Iterate over pictures on disk, in the order of their names.

    Loading begins with the file `start`; `consumed` counts the files of `paths` that were looked
    at, and `skipped` grows meanwhile. With `mix`, the files are photos whose colours are mixed
    to as many channels as the contract has.
    """

    origin: str
    paths: tuple[Path, ...]
    contract: InputContract
    skipped: list[Skipped] = field(default_factory=list)
    start: int = 0
    consumed: int = 0
    mix: bool = False

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[Sample]:
        for position, reading in ahead(self.read, range(self.start, len(self.paths))):
            self.consumed = position + 1
            try:
                sample = reading.result()
            except UnreadablePicture as error:
                self.skipped.append(Skipped(self.paths[position].name, str(error)))
                continue
            yield sample

    def read(self, index: int) -> Sample:
        """Return the sample in file `index`. Raise UnreadablePicture."""
        path, contract = self.paths[index], self.contract
        picture = self.original(index)
        image = stretch(picture, contract.width, contract.height)
        proportions = picture.shape[1] / picture.shape[0]
        return Sample(path.name, image, index, picture.shape != image.shape, proportions)

    def original(self, index: int) -> Picture:
        """Return the picture in file `index`, in its own size. Raise UnreadablePicture."""
        path, channels = self.paths[index], self.contract.channels
        if self.mix:
            return mixed(read_picture(path), channels)
        return read_channels(path, channels)


def find_samples(source: Source, contract: InputContract) -> Samples:
    """Find the samples in a folder (not below it), in a list of files, or the project's own.

    Hidden files are passed over; files that are no pictures are found out when they are loaded.
    Raise InputError when there is no such folder or file, or nothing in it.
    """
    if source is None:
        return _rendered(contract)
    if isinstance(source, Path):
        if source.is_file():
            return find_samples([source], contract)
        return Samples(source.name or str(source), photos_in(source), contract)
    for path in source:
        if not path.is_file():
            raise InputError(f"{path} is not a file: name photos that exist.")
    if not source:
        raise InputError("No samples were named: give a folder of photos, or photos.")
    return Samples(LISTED_ORIGIN, tuple(source), contract)


def read_channels(path: Path, channels: int) -> Picture:
    """Return the picture `(H, W, channels)` in a photo or a NumPy file, in its own size.

    NumPy files serve networks whose channels photos do not have. Raise UnreadablePicture.
    """
    if path.suffix.lower() == SUFFIX and channels not in (1, 3):
        return read_array(path, channels)
    if channels not in MODES:
        raise UnreadablePicture(f"photos do not have {channels} channels, NumPy files can")
    return read_picture(path, channels)


def _rendered(contract: InputContract) -> Samples:
    paths = tuple(path for path in photos_in(RENDERED) if path.suffix == ".jpg")
    if contract.channels in MODES:
        return Samples(RENDERED_ORIGIN, paths, contract)
    origin = f"{RENDERED_ORIGIN}, whose colours were mixed to {contract.channels} channels"
    return Samples(origin, paths, contract, mix=True)


def require_some(samples: Samples) -> None:
    """Raise InputError when every file turned out to be no picture."""
    if len(samples.skipped) < len(samples):
        return
    first, channels = samples.skipped[0], samples.contract.channels
    photos = channels in MODES
    wanted = "photos" if photos else f"NumPy files ({SUFFIX}, height × width × {channels})"
    raise InputError(
        f"None of the {len(samples)} files of {samples.origin} is a picture "
        f"({first.name}: {first.reason}). Give a folder of {wanted} with SAMPLES=."
    )
