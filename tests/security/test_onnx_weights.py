"""An ONNX file takes no weights from files that lie beside it."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from validate.runtimes.onnx_session import OnnxSession

WEIGHTS = np.full((2, 3, 1, 1), 0.5, np.float32)


def write_network(path: Path, weights: TensorProto) -> None:
    """Write a convolution of 3 to 2 channels and its argmax, as an export names them."""
    image, logits, mask = (
        helper.make_tensor_value_info(*each)
        for each in (
            ("image", TensorProto.FLOAT, ["N", 3, 4, 4]),
            ("logits", TensorProto.FLOAT, ["N", 2, 4, 4]),
            ("mask", TensorProto.INT64, ["N", 4, 4]),
        )
    )
    nodes = [
        helper.make_node("Conv", ["image", "weights"], ["logits"]),
        helper.make_node("ArgMax", ["logits"], ["mask"], axis=1, keepdims=0),
    ]
    graph = helper.make_graph(nodes, "net", [image], [logits, mask], [weights])
    opset = [helper.make_opsetid("", 20)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=10)
    path.write_bytes(model.SerializeToString())


def test_weights_beside_the_file_are_not_opened(tmp_path: Path) -> None:
    inside = numpy_helper.from_array(WEIGHTS, "weights")
    outside = onnx.TensorProto.FromString(inside.SerializeToString())
    outside.ClearField("raw_data")
    outside.data_location = TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="weights.bin")
    (tmp_path / "weights.bin").write_bytes(WEIGHTS.tobytes())
    bundle = SimpleNamespace(specification=None)
    write_network(tmp_path / "inside.onnx", inside)
    OnnxSession(tmp_path / "inside.onnx", bundle)
    write_network(tmp_path / "outside.onnx", outside)
    with pytest.raises(Exception, match=r"weights|external"):
        OnnxSession(tmp_path / "outside.onnx", bundle)
