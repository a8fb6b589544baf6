"""Read and run Core ML files, `.mlpackage` and `.mlmodel`, on any machine: the reference runtime.

    load(path) -> Model.predict({name: array or PIL image}) -> {name: array}

How a file becomes a result, module by module:

    read_model       load: the modules below in their order
    reader/          package, specification and program as inert data (`ir`), all checked
    features         the description's inputs, outputs and states
    registry, ops/   one operation is one small function on torch tensors, by its MIL name
    binding,         arguments -> the function's parameters, constants converted once
    constants
    lowering         ir.Function -> graph.Graph, a list of Steps; missing operations are named here
    neuralnetwork/   the layers of a NeuralNetwork -> the same graph.Graph
    model            Model: what is given -> the graph's inputs, its outputs -> what is promised
    feature_values   between arrays, images, numbers and tensors
    execution/       runs a Graph: values let go after their last use, rounding to FP16, limits

`limits` states what no file may exceed.

To add an operation, write its function in the module of its family in `ops/` and register it: see
`registry`. Errors inside the package are InputErrors that begin with "Its …" or "The …"; `load` and
`Model` put the file's name in front. Every failure to compute is turned into one by the executor.
"""

from validate.coreml.graph import Intermediate, StateBuffer, Watch
from validate.coreml.limits import UnsupportedOperation
from validate.coreml.model import Arithmetic, Model
from validate.coreml.read_model import load

__all__ = [
    "Arithmetic",
    "Intermediate",
    "Model",
    "StateBuffer",
    "UnsupportedOperation",
    "Watch",
    "load",
]
