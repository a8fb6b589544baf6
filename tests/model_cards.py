"""Bundles of every kind of input and mask, described without an export, and their cards' code."""

import re
from dataclasses import replace

from models.specification import InputContract


def _changed(contract=None, **specification):
    """Return what changes a bundle's contract and specification."""

    def change(bundle):
        changed = replace(bundle.specification, **specification)
        if contract is not None:
            changed = replace(changed, in_channels=contract.channels)
        return replace(
            bundle,
            specification=changed,
            activation=changed.activation,
            contract=contract or bundle.contract,
        )

    return change


CONTRACTS = {
    "RGB": _changed(),
    "grey": _changed(InputContract(96, 64, mean=(0.5,), channels=1)),
    "an array": _changed(InputContract(96, 64, channels=5)),
    "independent channels": _changed(activation="sigmoid"),
    "unpadded": _changed(margin=8),
}


def swift_of(card):
    """Return the Swift sources that a card shows."""
    return re.findall(r"```swift\n(.*?)```", card, re.DOTALL)
