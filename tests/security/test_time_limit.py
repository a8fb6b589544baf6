"""A file that would run for ever, or fill the memory, is stopped, and named with the limit."""

import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import coremltools as ct
import numpy as np
import onnx
import pytest
import torch
from coremltools.converters.mil import Builder as mb  # noqa: N813 (as coremltools writes it)
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from models.errors import InputError
from models.specification import Specification
from validate.parity.execution import Execution
from validate.runtimes import Opener, RefusedFile, runtimes_for
from validate.runtimes.limits import time_limit

# coremltools leaves temporary folders to the end of the process.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
BUNDLE = SimpleNamespace(specification=Specification("smp", "Unet", 3, 2, 32, {}))
PICTURE = np.zeros((64, 64, 3), np.uint8)
ENDINGS = {"torchscript": ".pt", "onnx": ".onnx", "mlprogram": ".mlpackage"}


def execution(format_: str, path: Path) -> Execution:
    (opener,) = runtimes_for(SimpleNamespace(format=format_), "reference")
    assert isinstance(opener, Opener)
    return Execution(opener, path, BUNDLE)


def heavy_torchscript(path: Path) -> None:
    class Heavy(nn.Module):
        def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            for _ in range(150):
                image = torch.matmul(image.repeat(1, 1, 8, 8), image.repeat(1, 1, 8, 8))[
                    ..., :64, :64
                ]
            return image[:, :2], image[:, 0].to(torch.int32)

    traced = torch.jit.trace(Heavy().eval(), torch.zeros(1, 3, 64, 64), check_trace=False)
    torch.jit.save(torch.jit.freeze(traced), str(path))


def endless_onnx(path: Path) -> None:
    """A loop of 2^62 rounds."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 64, 64])
    number = helper.make_tensor_value_info("i", TensorProto.INT64, [])
    on, off = (helper.make_tensor_value_info(n, TensorProto.BOOL, []) for n in ("on", "off"))
    before, after = (
        helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 3, 64, 64]) for n in ("a", "b")
    )
    nodes = [
        helper.make_node("Identity", ["on"], ["off"]),
        helper.make_node("Add", ["a", "a"], ["b"]),
    ]
    body = helper.make_graph(nodes, "body", [number, on, before], [off, after])
    count = numpy_helper.from_array(np.array(1 << 62, np.int64), "count")
    true = numpy_helper.from_array(np.array(True), "true")
    loop = helper.make_node("Loop", ["count", "true", "image"], ["logits"], body=body)
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3, 64, 64])
    graph = helper.make_graph([loop], "net", [image], [logits], [count, true])
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)


def heavy_mlprogram(path: Path) -> None:
    @mb.program(input_specs=[mb.TensorSpec((1, 3, 64, 64))], opset_version=ct.target.iOS15)
    def program(image):
        wide = mb.tile(x=image, reps=(1, 1, 16, 16))
        for _ in range(200):
            wide = mb.matmul(x=wide, y=wide)
        return mb.identity(x=wide, name="logits")

    inputs = [ct.ImageType(name="image", shape=(1, 3, 64, 64))]
    model = ct.convert(
        program, inputs=inputs, minimum_deployment_target=ct.target.iOS15, skip_model_load=True
    )
    model.save(str(path))


@pytest.mark.parametrize(
    ("format_", "write"),
    [("torchscript", heavy_torchscript), ("onnx", endless_onnx), ("mlprogram", heavy_mlprogram)],
)
def test_a_file_that_does_not_end_is_stopped_and_named(tmp_path: Path, format_: str, write) -> None:
    path = tmp_path / f"slow{ENDINGS[format_]}"
    write(path)
    running = execution(format_, path)
    told = rf"slow{ENDINGS[format_]} takes longer than 0\.2 seconds .* TIME_LIMIT="
    started = time.monotonic()
    with time_limit(0.2), pytest.raises(RefusedFile, match=told):
        running.run("a.png", PICTURE)
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_limit_leaves_some_time(seconds: float) -> None:
    with pytest.raises(InputError, match="TIME_LIMIT="), time_limit(seconds):
        pass


@pytest.mark.parametrize("format_", ENDINGS)
def test_a_pipe_in_the_place_of_a_file_is_refused(tmp_path: Path, format_: str) -> None:
    """Opening it would wait for ever."""
    path = tmp_path / f"net{ENDINGS[format_]}"
    if format_ == "mlprogram":
        path.mkdir()
    os.mkfifo(path / "weight.bin" if path.is_dir() else path)
    with pytest.raises(RefusedFile, match="is no regular file"):
        execution(format_, path).run("a.png", PICTURE)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not count memory so")
def test_memory_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Large(nn.Module):
        def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return image, image.repeat(1, 1, 256, 256)

    traced = torch.jit.trace(Large().eval(), torch.zeros(1, 3, 2, 2), check_trace=False)
    path = tmp_path / "large.pt"
    torch.jit.save(torch.jit.freeze(traced), str(path))
    monkeypatch.setattr("validate.runtimes.limits.MOST_MEMORY", 1 << 29)
    with pytest.raises(RefusedFile, match=r"large\.pt needs more memory .* the 0\.5 GiB that"):
        execution("torchscript", path).run("a.png", PICTURE)
    torch.zeros(1 << 28).sum()  # the limit is gone
