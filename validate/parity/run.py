"""Judges a bundle: every artifact, in the runtimes that exist here, against PyTorch.

    judge            a bundle on disk, its network built again from the checkpoint
    judge_network    the same with a network that is in memory already

Pictures come in batches that keep PyTorch's outputs in memory while the artifacts are run one
after the other. A small set is one batch, and each artifact is released before the next is
loaded; a large set is many, and the artifacts stay loaded.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from export.bundle import Bundle, read_bundle, verify_files
from export.unlisted import unlisted_files
from models.custom.option import NamedModule
from models.deployable import Deployable
from models.errors import InputError
from validate.images.batches import batches, fits_one_batch
from validate.images.samples import Samples, Source, find_samples, require_some
from validate.metrics.tolerances_file import read_tolerances
from validate.parity.resume import Step, Unfinished, resumed, run_identity, unfinished
from validate.parity.session import Trial
from validate.reference.network import Computed, Reference, load_reference
from validate.reference.recorder import recorded_reference
from validate.reference.stored import stored_reference
from validate.results.parity import Report
from validate.runtimes import CoreMLChoice

Progress = Callable[[str, int, int], None]
"""Is told what was run last, and how many of how many runs are done."""


def judge(  # noqa: PLR0913 (a keyword for each option of the command)
    folder: Path,
    *,
    checkpoint: Path | None = None,
    module: NamedModule | None = None,
    reference: Path | None = None,
    write_reference: Path | None = None,
    samples: Source = None,
    coreml: CoreMLChoice | None = None,
    tolerances: Path | None = None,
    progress: Progress | None = None,
    tell: Callable[[str], None] | None = None,
) -> Report:
    """Judge the bundle in `folder` on `samples`: a folder, a list of files, or our own pictures.

    `checkpoint` is where the bundle's checkpoint lies now, when not where the bundle says;
    `module` is the user's own code, named again, where the bundle was exported with such;
    `write_reference` stores what PyTorch computes, and `reference` is such a file, which takes
    the place of the checkpoint; `tolerances` is a file that takes the place of the table's rows.
    A run over many pictures that is interrupted keeps what is done beside the bundle, and the
    same run goes on from there; `tell` is told so, in a sentence. One that writes a reference
    begins anew. Raises InputError when the bundle is damaged, the checkpoint or reference is
    not its own, or no sample can be read.
    """
    given = read_tolerances(tolerances)
    bundle = read_bundle(folder)
    verify_files(bundle, folder)
    tell = tell or (lambda _: None)
    for name in unlisted_files(bundle, folder):
        tell(f"{folder / name} is not listed in the bundle, and was not judged.")
    found = find_samples(samples, bundle.contract)  # a wrong folder shows before the long work
    with ExitStack() as stack:
        held: Reference
        if reference is not None:
            _require_alone(reference, checkpoint, write_reference)
            held = stack.enter_context(stored_reference(reference, bundle, found))
        else:
            held = computed = Computed(load_reference(bundle, folder, checkpoint, module))
            if write_reference is not None:
                recorded = recorded_reference(write_reference, computed, bundle, folder, found)
                held = stack.enter_context(recorded)
        trial = Trial(held, bundle, folder, found, coreml, given)
        if write_reference is not None or fits_one_batch(found, bundle):
            return _judged(found, trial, bundle, progress)
        run = run_identity(found, folder, reference, given, trial)
        state = stack.enter_context(unfinished(folder, run))
        with resumed(state, found, trial, tell) as seconds:
            return _judged(found, trial, bundle, progress, state, seconds)


def judge_network(  # noqa: PLR0913 (as above)
    deployable: Deployable,
    bundle: Bundle,
    folder: Path,
    *,
    samples: Source = None,
    coreml: CoreMLChoice | None = None,
    tolerances: Path | None = None,
    progress: Progress | None = None,
) -> Report:
    """Judge the artifacts in `folder` against `deployable`, without checking their hashes.

    Raises InputError when no sample can be read, or PyTorch itself gives no finite logits.
    """
    found = find_samples(samples, bundle.contract)
    given = read_tolerances(tolerances)
    trial = Trial(Computed(deployable), bundle, folder, found, coreml, given)
    return _judged(found, trial, bundle, progress)


def _judged(
    found: Samples,
    trial: Trial,
    bundle: Bundle,
    progress: Progress | None,
    state: Unfinished | None = None,
    seconds: float = 0.0,
) -> Report:
    runs = 1 + len(trial.candidates)
    planned, done = len(found) * runs, found.start * runs
    skipped, started = len(found.skipped), time.perf_counter()
    for batch in batches(found, bundle):
        only = len(batch) + len(found.skipped) == len(found)
        for runtime in trial.run(batch, release=only):
            done += 1
            if progress is not None:
                progress(runtime, done, planned)
        record, now = trial.take(), time.perf_counter()
        if state is not None:
            state.append(
                Step(found.consumed, tuple(found.skipped[skipped:]), now - started, record)
            )
        skipped, seconds, started = len(found.skipped), seconds + now - started, now
    require_some(found)
    return trial.report(seconds)


def _require_alone(reference: Path, checkpoint: Path | None, write: Path | None) -> None:
    for name, path in (("--checkpoint", checkpoint), ("--write-reference", write)):
        if path is not None:
            raise InputError(
                f"{name} {path} and --reference {reference} contradict each other: a stored "
                "reference takes the place of PyTorch. Give one of the two."
            )
