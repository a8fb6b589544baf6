"""Run a network once before anything is traced, to see that it takes this size at all."""

import torch

from models.common.text import first_line
from models.deployable import Deployable
from models.errors import InputError
from models.specification import Specification


def require_runs(deployable: Deployable, specification: Specification) -> None:
    """Raise InputError unless the network takes its size and gives masks as large as promised.

    Windows that do not tile a picture, and poolings that leave nothing of a small one, cannot be
    told from shapes alone.
    """
    contract = deployable.contract
    size = f"SIZE={contract.width}x{contract.height}"
    try:
        with torch.no_grad():
            logits = deployable(torch.zeros(contract.shape))[0]
    except (RuntimeError, AssertionError, ValueError) as error:
        raise InputError(
            f"{specification.title} does not take {size}: {first_line(error).rstrip('.')}. "
            "Choose the SIZE that it was trained with."
        ) from error
    promised = specification.output_size(contract.width, contract.height)
    given = (logits.shape[3], logits.shape[2])
    if given != promised:
        raise InputError(
            f"{specification.title} gives masks of {given[0]}x{given[1]} for {size}, not of "
            f"{promised[0]}x{promised[1]}: choose a SIZE for which they are as large."
        )
