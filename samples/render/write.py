"""Write the rendered samples as files: photos as JPEG, masks as palette PNG."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from models.errors import InputError
from samples.render.catalogue import HEIGHT, SCENES, WIDTH
from samples.render.render import render

PALETTE = (0, 0, 0, 230, 0, 92)
"""Black background, breakage in crimson."""

Progress = Callable[[int, int, str], None]
"""Called as `progress(done, total, name)` after each piece of long work."""


def render_samples(folder: Path, progress: Progress | None = None) -> list[Path]:
    """Renders the samples into `folder`, made if missing, and returns the photos' paths.

    Files of the same names are replaced, others are left alone; nothing in `folder` changes
    before everything is rendered. The same machine writes the same bytes every time.

    Raises:
        InputError: `folder` cannot be made or written to.
    """
    try:
        (folder / "masks").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".rendering-", dir=folder) as beside:
            written = _render_all(Path(beside), progress)
            for name in written:
                (Path(beside) / name).replace(folder / name)
    except OSError as error:
        raise InputError(
            f"The samples cannot be written to {folder}: {error.strerror or error}. "
            "Choose a folder that can be written to."
        ) from error
    return [folder / name for name in written if name.suffix == ".jpg"]


def _render_all(folder: Path, progress: Progress | None) -> list[Path]:
    (folder / "masks").mkdir()
    written: list[Path] = []
    for done, scene in enumerate(SCENES, start=1):
        photo, mask = render(scene, WIDTH, HEIGHT)
        names = (Path(f"{scene.name}.jpg"), Path("masks") / f"{scene.name}.png")
        Image.fromarray(photo).save(folder / names[0], quality=90, subsampling=0)
        picture = Image.fromarray(mask)
        picture.putpalette(PALETTE)
        picture.save(folder / names[1], optimize=True)
        written += names
        if progress is not None:
            progress(done, len(SCENES), scene.name)
    return written
