"""Read an entry of a zip archive that somebody else may have written."""

import struct
import zipfile
import zlib
from typing import Final

ZIP_DAMAGE: Final = (
    *(OSError, RuntimeError, ValueError, LookupError, OverflowError, EOFError),
    *(struct.error, zlib.error, zipfile.BadZipFile),
)
"""Whatever zipfile may raise of an archive that is damaged."""


def read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    """Return the content of `entry`, of at most `most` bytes, its checksum checked.

    Raises ValueError where it says that it is larger, or is packed by a method whose memory zipfile
    does not bound, and else an error of ZIP_DAMAGE.
    """
    if entry.file_size > most:
        raise ValueError("it is larger than it can be")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("it is packed by a method that no such file is packed by")
    with archive.open(entry) as file:
        return file.read(entry.file_size)  # unlike read(), stops where more than that comes out
