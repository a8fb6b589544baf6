"""The last verdict on a bundle, asked for before its files are used."""

from pathlib import Path

from export.bundle import MANIFEST, Bundle
from export.result_files import DATA
from models.common.hashing import sha256_of
from models.errors import InputError
from validate.report.json_file import read_results
from validate.results.parity import Report


def require_verdict(folder: Path, bundle: Bundle, *, anyway: bool = False) -> str | None:
    """Return the sentence to tell before files of the bundle in `folder` are used, if any.

    None where the last verdict was passed, and is about the files that are listed now; that those
    are the files on disk is what `export.bundle.verify_files` makes sure of. A bundle that was
    never judged is told of. Raises InputError where the last verdict was not passed, or is about
    other files, unless that is wanted `anyway`: then the sentence is returned.
    """
    if not (folder / DATA).exists():
        return f"{folder} has no {DATA}: whether its files compute what PyTorch does is not known."
    report = read_results(folder)
    reason = _reason(report, bundle, folder)
    if reason is None or anyway:
        return reason
    raise InputError(
        f"{reason} Run `make validate BUNDLE={folder}`, export again, or use it all the same with "
        "--anyway."
    )


def _reason(report: Report, bundle: Bundle, folder: Path) -> str | None:
    if not report.passed:
        return f"The last verdict on {folder} is not that it passed: {report.sentence}"
    listed = tuple(file for artifact in bundle.artifacts for file in artifact.files)
    about = report.provenance
    if about is None or about.bundle != sha256_of(folder / MANIFEST) or about.files != listed:
        return f"The last verdict on {folder}, of {report.created}, is about other files than now."
    return None
