"""Put a bundle's Core ML files, with golden fixtures, into the iOS app."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from export.bundle import Artifact, read_bundle
from export.bundle_consistency import SMALL, file_name
from models.custom.option import NamedModule
from validate.images.samples import Source
from validate.ios.app import APP, MODELS, app_folder
from validate.ios.fixtures import coreml_artifacts, write_fixtures


def install_into_app(
    bundle_folder: Path,
    app: Path = APP,
    *,
    samples: Source = None,
    checkpoint: Path | None = None,
    module: NamedModule | None = None,
) -> tuple[Path, ...]:
    """Copy the models of a bundle into the app's `Models` folder, and write its fixtures there.

    The files of an earlier bundle of the same name are replaced; other models stay. Nothing
    changes unless everything succeeds. Return the files and packages. Raise InputError as
    `write_fixtures` does, and when `app_folder` is not the app's.
    """
    app = app_folder(app)
    models = app / MODELS
    bundle = read_bundle(bundle_folder)
    with tempfile.TemporaryDirectory(dir=app.parent) as workplace:
        staged = Path(workplace)
        write_fixtures(bundle_folder, staged, samples=samples, checkpoint=checkpoint, module=module)
        for artifact, name in _named(coreml_artifacts(bundle, bundle_folder)):
            _copy(artifact, bundle_folder, staged / name)
        _remove_earlier(bundle.name, models)
        return tuple(
            Path(shutil.move(path, models / path.name)) for path in sorted(staged.iterdir())
        )


def _named(artifacts: tuple[Artifact, ...]) -> Iterator[tuple[Artifact, str]]:
    """Yield each Core ML file of a bundle with its name in the app.

    Xcode compiles `x.mlpackage` and `x.mlmodel` both into `x.mlmodelc`, so that one of them
    needs another name.
    """
    for artifact in artifacts:
        path = Path(artifact.path)
        is_second = len(artifacts) > 1 and artifact.format == "neuralnetwork"
        ending = "-neuralnetwork" if is_second else ""
        yield artifact, f"{path.stem}{ending}{path.suffix}"


def _copy(artifact: Artifact, folder: Path, destination: Path) -> None:
    """Copy the files of `artifact` that the bundle in `folder` lists, and no others."""
    for file in artifact.files:
        place = destination / Path(file.path).relative_to(artifact.path)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / file.path, place)


def _remove_earlier(name: str, models: Path) -> None:
    """Remove the files that a bundle called `name` put into `models` before."""
    small = Path(file_name(name, SMALL)).stem
    earlier = [models / f"{each}.golden.json" for each in (name, small)]
    for path in models.iterdir():
        is_model = path.stem in (name, small, f"{name}-neuralnetwork") and path.suffix in (
            ".mlpackage",
            ".mlmodel",
        )
        if is_model or (path.suffix == ".png" and path.name.startswith(f"{name}.")):
            earlier.append(path)
    for path in earlier:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
