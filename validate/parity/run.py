"""Judge a bundle: every artifact, in the runtimes that exist here, against PyTorch.

    judge            a bundle on disk, its network built again from the checkpoint
    judge_network    the same with a network that is in memory already

Pictures come in batches that keep PyTorch's outputs in memory while the artifacts are run one
after the other. A small set is one batch, and each artifact is released before the next is
loaded; a large set is many, and the artifacts stay loaded.
"""

import time
from collections.abc import Callable, Sequence
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
from validate.parity.artifact import Done
from validate.parity.resume import FinishedBatch, RunState, resumed, run_identity, run_state
from validate.parity.session import ParitySession
from validate.reference.network import ComputedReference, Reference, load_reference
from validate.reference.recorder import recorded_reference
from validate.reference.stored import stored_reference
from validate.results.numbers import FORMATS
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
    allow_unjudged: Sequence[str] = (),
    results: Path | None = None,
    progress: Progress | None = None,
    tell: Callable[[str], None] | None = None,
) -> Report:
    """Judge the bundle in `folder` on `samples`: a folder, a list of files, or our own pictures.

    `checkpoint` is where the bundle's checkpoint lies now, when not where the bundle says;
    `module` is the user's own code, named again, where the bundle was exported with such;
    `write_reference` stores what PyTorch computes, and `reference` is such a file, which takes
    the place of the checkpoint; `tolerances` is a file that takes the place of the table's rows;
    `allow_unjudged` names the formats whose files may pass without being judged.
    A run over many pictures that is interrupted keeps what is done in `results`, or else in the
    bundle, and the same run goes on from there; `tell` is told so, in a sentence. One that writes a
    reference begins anew. Raises InputError when the bundle is damaged, the checkpoint or reference
    is not its own, or no sample can be read.
    """
    allowed = _require_formats(allow_unjudged)
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
            held = computed = ComputedReference(load_reference(bundle, folder, checkpoint, module))
            if write_reference is not None:
                recorded = recorded_reference(write_reference, computed, bundle, folder, found)
                held = stack.enter_context(recorded)
        session = ParitySession(held, bundle, folder, found, coreml, given)
        session.allow_unjudged = allowed
        if write_reference is not None or fits_one_batch(found, bundle):
            return _judged(found, session, bundle, progress)
        run = run_identity(found, folder, reference, given, session)
        state = stack.enter_context(run_state(results or folder, run))
        with resumed(state, found, session, tell) as seconds:
            return _judged(found, session, bundle, progress, state, seconds)


def judge_network(  # noqa: PLR0913 (as above)
    network: Deployable | ComputedReference,
    bundle: Bundle,
    folder: Path,
    *,
    samples: Source = None,
    coreml: CoreMLChoice | None = None,
    tolerances: Path | None = None,
    allow_unjudged: Sequence[str] = (),
    progress: Progress | None = None,
) -> Report:
    """Judge the artifacts in `folder` against `network`, without checking their hashes.

    `network` may have been run on the first samples already.
    `allow_unjudged` names the formats whose files may pass without being judged.

    Raises InputError when no sample can be read, or PyTorch itself gives no finite logits.
    """
    allowed = _require_formats(allow_unjudged)
    found = find_samples(samples, bundle.contract)
    given = read_tolerances(tolerances)
    reference = ComputedReference(network) if isinstance(network, Deployable) else network
    session = ParitySession(reference, bundle, folder, found, coreml, given)
    session.allow_unjudged = allowed
    return _judged(found, session, bundle, progress)


def _judged(
    found: Samples,
    session: ParitySession,
    bundle: Bundle,
    progress: Progress | None,
    state: RunState | None = None,
    seconds: float = 0.0,
) -> Report:
    done = _counter(progress, found, 1 + len(session.runs))
    skipped, started = len(found.skipped), time.perf_counter()
    for batch in batches(found, bundle):
        only = len(batch) + len(found.skipped) == len(found)
        findings, now = session.run(batch, done, release=only), time.perf_counter()
        if state is not None:
            skips = tuple(found.skipped[skipped:])
            state.append(FinishedBatch(found.consumed, skips, now - started, findings))
        skipped, seconds, started = len(found.skipped), seconds + now - started, now
    require_some(found)
    return session.report(seconds)


def _counter(progress: Progress | None, found: Samples, runs: int) -> Done:
    """Return what counts the pictures that were run, and tells `progress`."""
    count = found.start * runs

    def done(runtime: str) -> None:
        nonlocal count
        count += 1
        if progress is not None:
            progress(runtime, count, len(found) * runs)

    return done


def _require_formats(names: Sequence[str]) -> tuple[str, ...]:
    unknown = [name for name in names if name not in FORMATS]
    if unknown:
        raise InputError(f"There is no format {unknown[0]!r}: {', '.join(FORMATS)} exist.")
    return tuple(names)


def _require_alone(reference: Path, checkpoint: Path | None, write: Path | None) -> None:
    for name, path in (("--checkpoint", checkpoint), ("--write-reference", write)):
        if path is not None:
            raise InputError(
                f"{name} {path} and --reference {reference} contradict each other: a stored "
                "reference takes the place of PyTorch. Give one of the two."
            )
