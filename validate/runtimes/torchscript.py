"""Run TorchScript, loaded from its file as a phone does."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from export.bundle import Bundle
from validate.images.reading import Picture
from validate.runtimes.interface import MalformedOutput, Outputs, as_batch, checked_batch
from validate.runtimes.limits import limited
from validate.runtimes.torchscript_code import require_traced_code, require_traced_graph


class TorchScript:
    """Run a `.torchscript.pt` on the CPU.

    Raises RefusedCode where its code is not a trace's, before any of it runs.
    """

    def __init__(self, path: Path, bundle: Bundle):
        require_traced_code(path)
        self._module = torch.jit.load(str(path), map_location="cpu")
        require_traced_graph(path, self._module.inlined_graph)
        self._path = path
        self._stored = {name: each.clone() for name, each in self._module.state_dict().items()}
        self._specification = bundle.specification

    def run(self, image: Picture) -> Outputs:
        """Compute logits and mask of `image (H, W, C)`."""
        return self.run_batch([image])[0]

    @torch.inference_mode()
    def run_batch(self, images: Sequence[Picture]) -> list[Outputs]:
        """Compute logits and mask of `images`, each `(H, W, C)`, as one batch."""
        outputs = self._run(torch.from_numpy(as_batch(images)))
        tensors = isinstance(outputs, tuple) and all(isinstance(o, torch.Tensor) for o in outputs)
        if not tensors or len(outputs) != 2:
            raise MalformedOutput("it does not return the pair of tensors (logits, mask)")
        logits, mask = (output.numpy() for output in outputs)
        return checked_batch(logits, mask, self._specification, images)

    def _run(self, batch: torch.Tensor) -> Any:
        with limited(self._path) as until:
            check = _Check(until.check)
            try:
                with check:
                    return self._module(batch)
            except RuntimeError as error:  # TorchScript makes one of all that is raised in it
                cause = check.error or error
                if "can't allocate memory" in str(cause):
                    raise MemoryError from None
                raise cause from None

    def state(self) -> str | None:
        """Return what the code changes of its own between calls, or draws at random; else None.

        Tensors are compared with what they were when the file was loaded; the rest is read from
        the graph, so that it is found however late it shows.
        """
        for name, value in self._module.state_dict().items():
            if not torch.equal(value, self._stored[name]):
                return f"it changes its tensor {name!r} when it is called"
        graph = self._module.inlined_graph
        aliases = graph.alias_db()
        for node in _nodes(graph):
            if node.kind() == "prim::SetAttr":
                return f"it changes its attribute {node.s('name')!r} when it is called"
            if _is_stored(node) and any(map(aliases.has_writers, node.outputs())):
                return "it changes a constant of its own when it is called"
            if node.isNondeterministic() and not _never_drops(node):
                return f"it draws random numbers ({node.kind()})"
        return None


class _Check(TorchDispatchMode):
    """Call `check` before each operator; `error` is what it, or the operator, raised."""

    def __init__(self, check: Callable[[], None]):
        super().__init__()  # type: ignore[no-untyped-call]
        self._check = check
        self.error: Exception | None = None

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # torch._dynamo takes seconds to be imported

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        try:
            self._check()
            return func(*args, **(kwargs or {}))
        except Exception as error:
            self.error = error
            raise


def _is_stored(node: Any) -> bool:
    """Return whether a node gives what the file has stored, but for tensors in attributes.

    Of those the graph cannot tell whether writing to another tensor writes to them.
    """
    if node.kind() == "prim::GetAttr":
        return bool(node.output().type().kind() in ("ListType", "DictType"))
    return bool(node.kind() == "prim::Constant")


def _never_drops(node: Any) -> bool:
    """Return whether an attention's probability of dropout is a constant of zero."""
    if node.kind() != "aten::scaled_dot_product_attention":
        return False
    dropout = node.namedInput("dropout_p")
    return bool(dropout.node().kind() == "prim::Constant" and dropout.toIValue() == 0)


def _nodes(block: Any) -> Iterator[Any]:
    for node in block.nodes():
        yield node
        for nested in node.blocks():
            yield from _nodes(nested)
