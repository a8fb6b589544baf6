"""Run TorchScript, loaded from its file as a phone does."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from export.bundle import Bundle
from validate.images.reading import Picture
from validate.runtimes.interface import MalformedOutput, Outputs, as_batch, checked_batch


class TorchScript:
    """Run a `.torchscript.pt` on the CPU."""

    def __init__(self, path: Path, bundle: Bundle):
        self._module = torch.jit.load(str(path), map_location="cpu")
        self._specification = bundle.specification

    def run(self, image: Picture) -> Outputs:
        """Compute logits and mask of `image (H, W, C)`."""
        return self.run_batch([image])[0]

    @torch.inference_mode()
    def run_batch(self, images: Sequence[Picture]) -> list[Outputs]:
        """Compute logits and mask of `images`, each `(H, W, C)`, as one batch."""
        outputs = self._module(torch.from_numpy(as_batch(images)))
        tensors = isinstance(outputs, tuple) and all(isinstance(o, torch.Tensor) for o in outputs)
        if not tensors or len(outputs) != 2:
            raise MalformedOutput("it does not return the pair of tensors (logits, mask)")
        logits, mask = (output.numpy() for output in outputs)
        return checked_batch(logits, mask, self._specification, images)

    def state(self) -> str | None:
        """Return what the code changes of its own between calls, or draws at random; else None.

        Read from the whole graph, so that it is found however late it shows.
        """
        graph = self._module.inlined_graph
        aliases = graph.alias_db()
        for node in _nodes(graph):
            if node.kind() == "prim::SetAttr":
                return f"it changes its attribute {node.s('name')!r} when it is called"
            stored = node.kind() in ("prim::GetAttr", "prim::Constant")
            if stored and any(aliases.has_writers(value) for value in node.outputs()):
                return "it changes a value that it has stored when it is called"
            if node.isNondeterministic():
                return f"it draws random numbers ({node.kind()})"
        return None


def _nodes(block: Any) -> Iterator[Any]:
    for node in block.nodes():
        yield node
        for nested in node.blocks():
            yield from _nodes(nested)
