"""Compressed weights that contradict themselves are refused, whatever they say."""

import numpy as np
import pytest

from models.errors import InputError
from validate.coreml import ir
from validate.coreml.dtypes import BY_NAME
from validate.metadata.compressed_weights import compressed_weights

FP16 = ir.TensorType(BY_NAME["fp16"], (4, 4))
TABLE = np.arange(16, dtype=np.float16)


def constant(array: object) -> tuple[ir.Argument, ...]:
    return (ir.Constant(FP16, np.asarray(array)),)


def operation(kind: str, output: ir.ValueType = FP16, **inputs: object) -> ir.Operation:
    given = {name: constant(array) for name, array in inputs.items()}
    return ir.Operation(kind, "weight", given, (ir.Named("weight", output),))


def table(**changed: object) -> ir.Operation:
    indices = np.zeros(8, np.uint8)
    inputs = {"indices": indices, "lut": TABLE, "shape": np.array([4, 4], np.uint32)}
    return operation("constexpr_lut_to_dense", **{**inputs, **changed})


def linear(**changed: object) -> ir.Operation:
    inputs = {
        "quantized_data": np.ones((4, 4), np.int8),
        "zero_point": np.zeros(4, np.int8),
        "scale": np.array([1, 2, 3, 4], np.float16),
        "axis": np.int32(0),
    }
    return operation("constexpr_affine_dequantize", **{**inputs, **changed})


def test_healthy_ones_are_read() -> None:
    packed = table(indices=np.full(8, 0x21, np.uint8))
    values = compressed_weights((packed,), {})["weight"].values
    assert values.tolist() == [[1, 2, 1, 2]] * 4
    rows = compressed_weights((linear(),), {})["weight"].values
    assert rows.tolist() == [[n] * 4 for n in (1, 2, 3, 4)]


def test_what_could_stand_at_a_place_is_offered() -> None:
    weight = compressed_weights((linear(),), {})["weight"]
    offered = weight.offered(np.array([0, 15]))
    assert (offered[0] == np.arange(-128, 128)).all()
    assert (offered[1] == 4 * np.arange(-128, 128)).all()


WRONG = {
    "too few indices": table(indices=np.zeros(7, np.uint8)),
    "a shape beyond all memory": table(shape=np.array([2**31, 2**31], np.uint32)),
    "a table of no power of two": table(lut=TABLE[:15]),
    "no table": operation("constexpr_lut_to_dense", indices=np.zeros(8, np.uint8)),
    "an index beyond the table": operation(
        "constexpr_lut_to_dense",
        indices=np.full((4, 4), 16, np.uint8),
        lut=TABLE.reshape(1, 1, 16, 1),
    ),
    "vectors": operation(
        "constexpr_lut_to_dense",
        indices=np.zeros((4, 4), np.uint8),
        lut=TABLE.reshape(1, 1, 8, 2),
    ),
    "scales that do not fit": linear(scale=np.ones(3, np.float16), zero_point=np.zeros(3, np.int8)),
    "data of 32 bits": linear(quantized_data=np.ones((4, 4), np.int32)),
    "no numbers": linear(scale=np.array([], np.float16)),
    "integers": operation(
        "constexpr_lut_to_dense", ir.TensorType(BY_NAME["int32"], (4, 4)), lut=TABLE
    ),
    "another operation": operation("constexpr_sparse_to_dense", nonzero_data=TABLE),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_contradiction_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="weight"):
        compressed_weights((WRONG[name],), {})
