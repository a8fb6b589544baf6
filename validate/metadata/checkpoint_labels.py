"""The labels of a bundle against those that its checkpoint has itself."""

from typing import TYPE_CHECKING

from export.bundle import MANIFEST, Bundle
from models.errors import InputError
from models.labels import choose_labels

if TYPE_CHECKING:
    from models.load import Recognised


def require_checkpoint_labels(bundle: Bundle, recognised: "Recognised") -> None:
    """Raise InputError where `bundle` says that its labels are the checkpoint's, and they are not.

    `recognised` is the bundle's checkpoint, read again.
    """
    if bundle.labels_source != "checkpoint":
        return
    specification, checkpoint = recognised.specification, recognised.checkpoint
    own = choose_labels(
        checkpoint.path,
        specification.classes,
        None,
        checkpoint.config,
        independent=specification.independent,
    )
    if own.names != bundle.labels:
        raise InputError(
            f"{MANIFEST} says that the checkpoint names its labels {', '.join(bundle.labels)}, and "
            f"{checkpoint.path.name} names them {own.summary}: export the bundle again."
        )
