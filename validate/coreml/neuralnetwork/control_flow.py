"""Lower branches and loops to steps with blocks.

A block takes and gives values, while a nested network writes into the network around it. A branch
therefore gives every value that either side writes, and a loop carries all that its networks write
from one iteration to the next. Where a value does not exist yet, None stands in its place.

`loopBreak` and `loopContinue` set a value, the signal. What follows a branch that may set it
becomes a branch itself, which runs while the signal is 0.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from models.errors import InputError
from validate.coreml.graph import Nested, Step
from validate.coreml.limits import MAX_NESTING
from validate.coreml.neuralnetwork.inventory import outputs_of
from validate.coreml.neuralnetwork.scope import Scope

SIGNAL = "(loop signal)"
_SIGNALS = {"": 0.0, "loopContinue": 1.0, "loopBreak": 2.0}
_TRUE = 1e-6

LowerLayers = Callable[[Scope, Sequence[Any], int], None]
"""Lowers layers into a scope at a depth of nesting."""


def lower_signal(scope: Scope, name: str, kind: str) -> None:
    """Lower loopBreak or loopContinue, or for "" the start of a loop's body.

    Raises:
        InputError: if it is in no loop.
    """
    if kind and not scope.has(SIGNAL):
        raise InputError("It is in no loop.")
    value = torch.tensor([_SIGNALS[kind]])
    scope.add(Step(kind or "loop", name, (), (scope.write(SIGNAL),), lambda: value))


def lower_branch(scope: Scope, message: Any, depth: int, lower: LowerLayers) -> bool:
    """Lower a branch; return whether it may have set the signal of the loop around it."""
    if len(message.input) != 1:
        raise InputError(f"It has {len(message.input)} inputs instead of 1.")
    inner = _inner(scope, message.branch.ifBranch.layers, depth, lower)
    other = _inner(scope, message.branch.elseBranch.layers, depth, lower)
    _choose(scope, message.name, scope.read(message.input[0]), (inner, other))
    return SIGNAL in inner.written or SIGNAL in other.written


def lower_rest(
    scope: Scope, name: str, layers: Sequence[Any], depth: int, lower: LowerLayers
) -> None:
    """Lower the layers after a branch that may have set the signal: they run while it is 0."""
    rest = _inner(scope, layers, depth, lower)
    _choose(scope, name, scope.read(SIGNAL), (Scope(scope), rest))


def lower_loop(scope: Scope, message: Any, depth: int, lower: LowerLayers) -> None:
    """Lower a loop: a condition before each iteration, a largest number of them, or both."""
    params = message.loop
    conditional = bool(params.conditionVar)
    if len(message.input) > 1:
        raise InputError(f"It has {len(message.input)} inputs instead of one or none.")
    count = tuple(scope.read(each) for each in message.input)
    carried = tuple(
        dict.fromkeys((*outputs_of(params.conditionNetwork), *outputs_of(params.bodyNetwork)))
    )
    existing = tuple(name for name in carried if scope.has(name))
    body = _iteration(scope, carried, depth)
    lower_signal(body, message.name, "")
    lower(body, params.bodyNetwork.layers, depth + 1)
    blocks = [body.nested((*carried, SIGNAL))]
    if conditional:
        condition = _iteration(scope, carried, depth)
        lower(condition, params.conditionNetwork.layers, depth + 1)
        if not condition.has(params.conditionVar):
            raise InputError(f"Its condition network does not compute {params.conditionVar!r}.")
        blocks.append(condition.nested((*carried, params.conditionVar)))
    limit = None if conditional and not params.maxLoopIterations else params.maxLoopIterations
    inputs = (*count, *(scope.read(name) for name in existing))
    outputs = tuple(scope.write(name) for name in carried)
    run = _loop(carried, existing, bool(count), limit)
    scope.add(Step("loop", message.name, inputs, outputs, run, blocks=tuple(blocks)))


def holds(condition: Any) -> bool:
    """Tell whether a condition, one number, is not 0.

    Raises:
        InputError: if it is not one number.
    """
    if not isinstance(condition, Tensor) or condition.numel() != 1:
        raise InputError("Its condition is not one number.")
    return abs(condition.item()) > _TRUE


def _inner(scope: Scope, layers: Sequence[Any], depth: int, lower: LowerLayers) -> Scope:
    if depth >= MAX_NESTING:
        raise InputError(f"Its networks are nested deeper than {MAX_NESTING}.")
    inner = Scope(scope)
    lower(inner, layers, depth + 1)
    return inner


def _iteration(scope: Scope, carried: tuple[str, ...], depth: int) -> Scope:
    if depth >= MAX_NESTING:
        raise InputError(f"Its networks are nested deeper than {MAX_NESTING}.")
    inner = Scope(scope)
    for name in carried:
        inner.add_input(name)
    return inner


def _choose(scope: Scope, name: str, condition: str, sides: tuple[Scope, Scope]) -> None:
    """Add the step that runs the first side where the condition holds, or else the second."""
    written = tuple(dict.fromkeys((*sides[0].written, *sides[1].written)))
    blocks: tuple[Nested, ...] = tuple(side.nested(written) for side in sides)
    outputs = tuple(scope.write(each) for each in written)

    def run(value: Tensor, blocks: tuple[Callable[..., Any], ...]) -> Any:
        return _single(blocks[0 if holds(value) else 1]())

    scope.add(Step("branch", name, (condition,), outputs, run, blocks=blocks))


def _loop(
    carried: tuple[str, ...], existing: tuple[str, ...], counted: bool, limit: int | None
) -> Callable[..., Any]:
    """Return the loop over values: an iteration count where it is `counted`, then the existing."""

    def run(*values: Any, blocks: tuple[Callable[..., Any], ...]) -> Any:
        most = int(values[0].item()) if counted else limit
        given = dict(zip(existing, values[1:] if counted else values, strict=True))
        state = tuple(given.get(name) for name in carried)
        iteration = 0
        while True:
            if len(blocks) > 1:
                *carry, condition = blocks[1](*state)
                state = tuple(carry)
                if not holds(condition):
                    break
            if most is not None and iteration >= most:
                break
            *carry, signal = blocks[0](*state)
            state = tuple(carry)
            iteration += 1
            if signal.item() == _SIGNALS["loopBreak"]:
                break
        return _single(state)

    return run


def _single(results: tuple[Any, ...]) -> Any:
    """Return what a step returns: the value itself where there is one."""
    return results[0] if len(results) == 1 else results
