"""Keep the photos that an interrupted call has done, so that the same call goes on from there.

They lie in the output folder as `.predict.unfinished.jsonl`: a line that identifies the call,
then one for each photo, written when its files are in their places. The file is removed when
the call has ended.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from models.common.json_codec import plain, revive
from models.common.json_reader import parse_json
from models.common.paths import open_own, read_bytes
from validate.predict.areas import PredictedPhoto

STATE = ".predict.unfinished.jsonl"
MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class DonePhoto:
    """Hold a photo that is done, with the size and the time of change that its file had."""

    size: int
    changed: int
    photo: PredictedPhoto


class DonePhotos:
    """Find photos that an earlier call has done, and add those of this one."""

    def __init__(self, out: Path, file: TextIO, earlier: Iterable[DonePhoto]):
        self._out, self._file = out, file
        self._done = {record.photo.photo: record for record in earlier}

    def __len__(self) -> int:
        return len(self._done)

    def find(self, path: Path, names: tuple[str, ...]) -> PredictedPhoto | None:
        """Return the photo in `path` where an earlier call has written the files `names`."""
        record = self._done.get(str(path))
        if record is None or record != _record(path, record.photo):
            return None
        done = (*record.photo.masks, record.photo.overlay)
        whole = done == names and all((self._out / name).is_file() for name in names)
        return record.photo if whole else None

    def add(self, path: Path, photo: PredictedPhoto) -> None:
        """Keep `photo`, whose file is `path`."""
        self._done[photo.photo] = record = _record(path, photo)
        self._file.write(_line(record))
        self._file.flush()


@contextmanager
def done_photos(out: Path, call: Mapping[str, Any]) -> Iterator[DonePhotos]:
    """Yield the photos that are done in `out`; `call` is equal for calls that give equal files.

    The state is removed unless the block is left by an exception after a photo was done. Raise
    OSError where `out` cannot be written to.
    """
    path, header = out / STATE, _line(call)
    lines = _lines(path)
    earlier = _records(lines[1:]) if lines[:1] == [header] else []
    with open(path, "w", encoding="utf-8", opener=open_own) as file:
        file.writelines([header, *map(_line, earlier)])
        done = DonePhotos(out, file, earlier)
        try:
            yield done
        except BaseException:
            if not len(done):
                path.unlink()
            raise
    path.unlink()


def _lines(path: Path) -> list[str]:
    try:
        return read_bytes(path, MOST_BYTES).decode("utf-8", "replace").splitlines(True)
    except (FileNotFoundError, ValueError):
        return []


def _line(value: object) -> str:
    return json.dumps(plain(value)) + "\n"


def _record(path: Path, photo: PredictedPhoto) -> DonePhoto:
    stat = path.stat()
    return DonePhoto(stat.st_size, stat.st_mtime_ns, photo)


def _records(lines: Iterable[str]) -> list[DonePhoto]:
    """Return the records before the first line that was cut off or is something else."""
    records = []
    for line in lines:
        try:
            records.append(revive(DonePhoto, parse_json(line)))
        except ValueError:
            break
    return records
