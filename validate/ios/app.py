"""Find the iOS demo app, before anything that computes is imported."""

from pathlib import Path
from typing import Final

from models.errors import InputError

APP: Final = Path(__file__).resolve().parents[2] / "ios_demo" / "DamageDemo"
MODELS: Final = "Models"


def app_folder(given: Path | None = None) -> Path:
    """Return the app's folder `DamageDemo`: the one given, or that of this repository.

    Raises InputError where it is not the app's, as in an installed Segport, which has no app.
    """
    folder = given or APP
    if (folder / MODELS / "README.md").is_file():
        return folder
    if given is None:
        raise InputError(
            "The iOS app is not part of an installed Segport: clone Segport's repository, and say "
            "with --app where its ios_demo/DamageDemo lies."
        )
    raise InputError(
        f"{folder} is not the iOS app: it has no {MODELS}/README.md. Give ios_demo/DamageDemo of "
        "Segport's repository."
    )
