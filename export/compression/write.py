"""Write the compressed package: the plain one, with each large weight in a form of fewer bits."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.compression.forms import COMPRESSED_ABOVE, SMALL, Form
from export.compression.kmeans import palette
from export.quiet import quiet


def write_compressed(
    plain: Path, path: Path, form: Form, target: str, metadata: Mapping[str, str]
) -> None:
    """Write the mlprogram at `plain` again at `path`, with its weights in `form` for `target`.

    Biases and weights of few numbers stay as they are; what the file says of itself is kept, with
    `metadata` added. Raises InputError where a weight is not finite.
    """
    with quiet():
        import coremltools as ct
        from coremltools.optimize import coreml as optimize

        model = ct.models.MLModel(str(plain), skip_model_load=True)
        if form.is_palette:
            small = model
            for config in _tables(optimize, form, target):
                small = optimize.palettize_weights(small, config)
        else:
            linear = optimize.OpLinearQuantizerConfig(
                mode="linear_symmetric", weight_threshold=COMPRESSED_ABOVE
            )
            small = optimize.linear_quantize_weights(
                model, optimize.OptimizationConfig(global_config=linear)
            )
        small.user_defined_metadata.update(metadata)
        small.save(str(path))


def _tables(optimize: Any, form: Form, target: str) -> list[Any]:
    """Return the configurations that are applied in turn: of large weights, and of the rest."""
    group = form.group(target)
    grouped = {"granularity": "per_grouped_channel", "group_size": group} if group else {}
    rounds = [(form.bits, SMALL if form.bits < 8 else COMPRESSED_ABOVE, grouped)]
    if form.bits < 8:
        rounds.append((8, COMPRESSED_ABOVE, {}))
    return [
        optimize.OptimizationConfig(
            global_config=optimize.OpPalettizerConfig(
                mode="custom",
                lut_function=partial(_table, entries=1 << bits),
                weight_threshold=above,
                **granularity,
            )
        )
        for bits, above, granularity in rounds
    ]


def _table(weight: NDArray[Any], entries: int) -> tuple[NDArray[np.floating], NDArray[np.uint8]]:
    return palette(weight, entries)
