"""Every fault: what is broken, in which format, and how."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import graph_edits as graph
import module_edits as module
import numpy as np
import statement_edits as statement
from conv_edits import BLOB, EDITS, Change, Weights, place_in_blob
from metadata_edits import edit_metadata
from torch import nn

from export.bundle import Bundle

FILES = ("onnx", "mlprogram", "neuralnetwork")


@dataclass(frozen=True)
class Broken:
    """What a fault may need: the file to break, its bundle, the network, another bundle."""

    path: Path
    bundle: Bundle
    network: nn.Module
    other: Path


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong in one format."""

    what: str
    format: str
    apply: Callable[[Broken], None]
    independent: bool = False


def _edit(format: str, index: int, part: str, change: Change) -> Callable[[Broken], None]:
    return lambda case: EDITS[format](case.path, index, part, change)


def _coreml(change: Callable[..., None]) -> Callable[[Broken], None]:
    return lambda case: graph.edit_coreml(case.path, change)


def _onnx(change: Callable[..., None]) -> Callable[[Broken], None]:
    return lambda case: graph.edit_onnx_graph(case.path, change)


def _retraced(fault: module.Break) -> Callable[[Broken], None]:
    def apply(case: Broken) -> None:
        changed = module.broken(case.network, case.bundle, fault)
        module.write_torchscript(changed, case.path, case.bundle)

    return apply


def _answered(change: Callable[..., object]) -> Callable[[Broken], None]:
    def apply(case: Broken) -> None:
        healthy = module.broken(case.network, case.bundle, lambda _: None)
        module.write_torchscript(module.Outputs(healthy, change), case.path, case.bundle)

    return apply


def _weight(index: int, change: Change) -> module.Break:
    def apply(network: nn.Module) -> None:
        weight = module.convolutions(network)[index].weight
        weight.copy_(weight.new_tensor(change(weight.numpy().copy()).copy()))

    return apply


def _head(network: nn.Module, change: Callable[..., object]) -> None:
    head = network.segmentation_head[0]
    for tensor in (head.weight, head.bias):
        tensor.copy_(change(tensor))


def _stale(case: Broken) -> None:
    other = next(case.other.glob(f"*{''.join(case.path.suffixes[-1:])}"))
    if case.path.is_dir():
        for inner in (graph.SPECIFICATION, BLOB):
            (case.path / inner).write_bytes((other / inner).read_bytes())
    else:
        case.path.write_bytes(other.read_bytes())


def _exponent_bit(case: Broken) -> None:
    """Flip the highest bit of the exponent of one weight: 0.01 becomes 655 or infinity."""
    blob = bytearray((case.path / BLOB).read_bytes())
    start, size = place_in_blob(blob, 64)
    blob[start + size // 4 * 2 + 1] ^= 0x40
    (case.path / BLOB).write_bytes(blob)


WEIGHTS: dict[str, tuple[int, Change]] = {
    "one weight negated": (9, np.negative),
    "one weight transposed": (6, lambda w: w.swapaxes(2, 3)),
    "one weight zeroed": (-4, np.zeros_like),
    "one weight shifted by one": (3, lambda w: np.roll(w, 1, axis=0)),
    "red and blue swapped": (0, lambda w: w[:, ::-1]),
}


def faults() -> Iterator[Fault]:
    """All of them."""
    for what, (index, change) in WEIGHTS.items():
        formats = FILES if what != "red and blue swapped" else ("onnx",)
        for format in formats:
            yield Fault(what, format, _edit(format, index, "weight", change))
        yield Fault(what, "torchscript", _retraced(_weight(index, change)))
    for format in FILES:
        yield Fault("one bias dropped", format, _edit(format, 8, "bias", np.zeros_like))
        yield Fault("two classes swapped", format, _swapped(format))
    yield Fault("one bias dropped", "torchscript", _retraced(module.drop_norm_bias))
    yield Fault(
        "two classes swapped", "torchscript", _retraced(partial(_head, change=lambda t: t.flip(0)))
    )
    yield from _inputs()
    yield from _scales()
    yield from _graphs()
    yield from _networks()
    for format in ("torchscript", *FILES):
        yield Fault("another checkpoint's file, left from an earlier export", format, _stale)
    yield Fault("a bit flipped in the weights", "mlprogram", _exponent_bit)
    yield from _statements()


def _statements() -> Iterator[Fault]:
    for format in ("torchscript", *FILES):
        for what, (key, change) in statement.METADATA.items():
            yield Fault(what, format, partial(_say, key=key, change=change))
        yield Fault("weights of a neighbouring epoch, 0.02 % away", format, _neighbour(format))
    for format in ("mlprogram", "neuralnetwork"):
        yield Fault(statement.PREVIEW, format, lambda case: statement.edit_preview(case.path))


def _say(case: Broken, key: str, change: statement.Texts) -> None:
    edit_metadata(case.path, key, change)


def _neighbour(format: str) -> Callable[[Broken], None]:
    def apply(case: Broken) -> None:
        if format == "torchscript":
            statement.write_epoch(case.path, case.network, case.bundle)
            return
        statement.edit_epoch(format, case.path)

    return apply


def _swapped(format: str) -> Callable[[Broken], None]:
    def apply(case: Broken) -> None:
        for part in ("weight", "bias"):
            EDITS[format](case.path, -1, part, lambda values: values[::-1])

    return apply


def _scales() -> Iterator[Fault]:
    """What is small beside the logits, and yet decides the mask."""
    for number in (1000, 4000):
        what = f"{number:,} added to every class"
        for format in FILES:
            yield Fault(what, format, _edit(format, -1, "bias", partial(np.add, number)))
        raised = partial(_raise_head, number=number)
        yield Fault(what, "torchscript", _retraced(raised))
    for what, change in {
        "a weak channel negated": lambda weak, part: -weak,
        "a weak channel always empty": lambda weak, part: weak * 0 - (part == "bias") * 0.01,
    }.items():
        for format in FILES:
            yield Fault(what, format, _weakened(format, change), independent=True)
        retraced = _retraced(partial(_weaken_head, change=change))
        yield Fault(what, "torchscript", retraced, independent=True)


def _raise_head(network: nn.Module, number: float) -> None:
    network.segmentation_head[0].bias.add_(number)


def _weaken_head(network: nn.Module, change: Callable[..., Any]) -> None:
    head = network.segmentation_head[0]
    for part, tensor in (("weight", head.weight), ("bias", head.bias)):
        tensor[2] = change(tensor[2], part)


def _weakened(format: str, change: Callable[..., Any]) -> Callable[[Broken], None]:
    def apply(case: Broken) -> None:
        for part in ("weight", "bias"):
            EDITS[format](case.path, -1, part, partial(_last_channel, change=change, part=part))

    return apply


def _last_channel(values: Weights, change: Callable[..., Any], part: str) -> Weights:
    values = values.copy()
    values[2] = change(values[2], part)
    return values


def _inputs() -> Iterator[Fault]:
    for format in ("mlprogram", "neuralnetwork"):
        yield Fault("red and blue swapped", format, _coreml(graph.swap_colours))
        yield Fault("input size changed", format, _coreml(graph.widen_input))
    yield Fault("input size changed", "onnx", _onnx(graph.widen_onnx))
    scales = {"scale dropped": 255.0, "scale doubled": 2.0, "scale 1/256 for 1/255": 255 / 256}
    for what, factor in scales.items():
        if factor >= 2:  # less is within float16's rounding of this network
            yield Fault(what, "mlprogram", _coreml(graph.scale_program(factor)))
        yield Fault(what, "neuralnetwork", _coreml(graph.scale_network(factor)))
        for format in ("onnx", "torchscript"):
            change = partial(np.multiply, np.float32(factor))
            yield Fault(
                what,
                format,
                _edit(format, 0, "weight", change)
                if format == "onnx"
                else _retraced(_weight(0, change)),
            )


def _graphs() -> Iterator[Fault]:
    yield Fault("padding moved by one pixel", "mlprogram", _coreml(graph.shift_program))
    yield Fault("padding moved by one pixel", "neuralnetwork", _coreml(graph.shift_network))
    yield Fault("padding moved by one pixel", "onnx", _onnx(graph.shift_onnx))
    yield Fault("padding moved by one pixel", "torchscript", _retraced(module.shift_padding))
    yield Fault("a layer's output clipped", "mlprogram", _coreml(graph.clip_program))
    yield Fault("a layer's output clipped", "neuralnetwork", _coreml(graph.clip_network))
    yield Fault("a layer's output clipped", "onnx", _onnx(graph.clip_onnx))
    yield Fault("a layer's output clipped", "torchscript", _retraced(module.clip))
    yield Fault("nearest swapped for bilinear", "neuralnetwork", _coreml(graph.smooth_network))
    yield Fault("nearest swapped for bilinear", "onnx", _onnx(graph.smooth_onnx))
    yield Fault("a convolution dilated", "onnx", _onnx(graph.dilate_onnx))
    yield Fault("mask of the least likely class", "mlprogram", _coreml(graph.answer_with_the_least))
    yield Fault(
        "mask of the least likely class",
        "neuralnetwork",
        _coreml(graph.answer_with_the_other_class),
    )
    yield Fault("mask of the least likely class", "onnx", _onnx(graph.answer_with_the_least_onnx))
    yield Fault("sigmoid applied to the logits", "onnx", _onnx(graph.sigmoid_onnx))


def _networks() -> Iterator[Fault]:
    for what, fault in {
        "nearest swapped for bilinear": module.smooth(align_corners=False),
        "nearest swapped for bilinear with aligned corners": module.smooth(align_corners=True),
        "batch norm's epsilon 1e-3 for 1e-5": module.loosen_epsilon,
        "eval() forgotten": module.forget_eval,
    }.items():
        yield Fault(what, "torchscript", _retraced(fault))
    for what, change in {
        "sigmoid applied to the logits": lambda logits, mask: (logits.sigmoid(), mask),
        "log_softmax applied to the logits": lambda logits, mask: (logits.log_softmax(1), mask),
        "softmax applied to the logits": lambda logits, mask: (logits.softmax(1), mask),
        "mask moved by one row": lambda logits, mask: (logits, mask.roll(1, 1)),
        "mask and logits mirrored": lambda logits, mask: (logits.flip(3), mask.flip(2)),
        "no mask": lambda logits, mask: logits,
        "mask of 64 bits": lambda logits, mask: (logits, mask.long()),
        "logits smaller by a row": lambda logits, mask: (logits[:, :, 1:], mask),
        "logits that are not finite": lambda logits, mask: (logits / 0, mask),
    }.items():
        yield Fault(what, "torchscript", _answered(change))
