"""Write the compressed package: the plain one, with each large weight in a form of fewer bits."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from coremltools.converters.mil import Builder
from coremltools.converters.mil.mil import types
from coremltools.converters.mil.mil.passes.graph_pass import AbstractGraphPass
from coremltools.models import MLModel
from coremltools.models.utils import _apply_graph_pass

from export.compression.encode import LinearWeight, TableWeight, as_int8, in_table
from export.compression.forms import Form, is_at_least
from export.quiet import quiet
from models.errors import InputError

CHANNEL_AXIS = {"conv": 0, "conv_transpose": 1, "linear": 0, "matmul": -1}
"""The axis of the output channels in the weights of each operation."""


def write_compressed(
    plain: Path, path: Path, form: Form, target: str, metadata: Mapping[str, str]
) -> None:
    """Write the mlprogram at `plain` again at `path`, with its weights in `form` for `target`.

    What the file says of itself is kept, with `metadata` added. Raises InputError where no weight
    is large enough to be compressed, or one is not finite.
    """
    with quiet():
        compression = _Compression(form, target)
        model = MLModel(str(plain), skip_model_load=True)
        small = _apply_graph_pass(model, compression, skip_model_load=True)
        if not compression.count:
            raise InputError(
                f"COMPRESS={form.name} finds nothing to compress: all weights of this network are "
                "small. Leave COMPRESS= away."
            )
        small.user_defined_metadata.update(metadata)
        small.save(str(path))


class _Compression(AbstractGraphPass):  # type: ignore[misc]
    """Replace the large weights of a program by operations that expand encoded ones."""

    def __init__(self, form: Form, target: str):
        super().__init__()
        self.count = 0
        self._form = form
        self._ios18 = is_at_least(target, "iOS18")

    def apply(self, program: Any) -> None:
        """Replace them in all functions of `program`."""
        for function in program.functions.values():
            with function as block:
                for operation in list(block.operations):
                    if operation.op_type == "const":
                        self._replace(operation, block)

    def _replace(self, const: Any, block: Any) -> None:
        uses, weight = const.outputs[0].child_ops, const.outputs[0].val
        kinds = {use.op_type for use in uses}
        if len(kinds) != 1 or not kinds < set(CHANNEL_AXIS) or not isinstance(weight, np.ndarray):
            return
        bits = self._form.bits_for(weight.size)
        if weight.ndim < 2 or bits is None:
            return
        given = {"before_op": const, "name": f"{const.name}_compressed"}
        if self._form.is_palette:
            new = self._looked_up(in_table(weight, bits), given)
        else:
            new = self._scaled(as_int8(weight, CHANNEL_AXIS[kinds.pop()] % weight.ndim), given)
        block.replace_uses_of_var_after_op(
            anchor_op=const, old_var=const.outputs[0], new_var=new, no_check_var_types=True
        )
        block.remove_ops([const])
        self.count += 1

    def _looked_up(self, code: TableWeight, given: Mapping[str, Any]) -> Any:
        if not self._ios18:
            shape = np.array(code.indices.shape, np.uint32)
            return Builder.constexpr_lut_to_dense(
                indices=code.packed(), lut=code.table, shape=shape, **given
            )
        kind = types.nptype_from_builtin(types.string_to_builtin(f"uint{code.bits}"))
        table = code.table.reshape((1,) * code.indices.ndim + (-1, 1))
        return Builder.constexpr_lut_to_dense(indices=code.indices.astype(kind), lut=table, **given)

    def _scaled(self, code: LinearWeight, given: Mapping[str, Any]) -> Any:
        if self._ios18:
            return Builder.constexpr_blockwise_shift_scale(
                data=code.indices, scale=code.scale, **given
            )
        axis = next((n for n, size in enumerate(code.scale.shape) if size > 1), 0)
        return Builder.constexpr_affine_dequantize(
            quantized_data=code.indices,
            zero_point=np.zeros(code.scale.size, np.int8),
            scale=code.scale.reshape(-1),
            axis=np.int32(axis),
            **given,
        )
