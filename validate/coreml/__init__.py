"""Read and run Core ML files, `.mlpackage` and `.mlmodel`, on any machine: the reference runtime.

It proves what a file means. How the Neural Engine rounds is another question: see the docs.

    load(path) -> Model.predict({name: array or PIL image}) -> {name: array}

How a file becomes a result, module by module:

    package          which files belong to the model, none outside its package
    specification    coremltools' protobuf classes
    blob             weight files, every offset checked
    program_reader   protobuf -> ir, an inert description of the program
    registry, ops/   one operation is one small function on torch tensors, by its MIL name
    binding          arguments -> the function's parameters, constants converted once
    lowering         ir.Function -> graph.Graph, a list of Steps; missing operations are named here
    neuralnetwork/   the layers of a NeuralNetwork -> the same graph.Graph
    fusion           joins steps that are cheaper together
    executor         runs a Graph: liveness, rounding to FP16, limits
    declarations     compares results with what the file declares
    features,        the description's inputs and outputs, and the values given for them
    feature_values
    versions,        refuse what Core ML would refuse: a specification version that is too old, a
    interface        description that its program does not keep
    model            load and Model, which put these together

To add an operation, write its function in the module of its family in `ops/` and register it: see
`registry`. Errors inside the package are InputErrors that begin with "Its …" or "The …"; `load` and
`Model` put the file's name in front. Every failure to compute is turned into one by the executor.
"""

from validate.coreml.graph import Intermediate, StateBuffer, Watch
from validate.coreml.limits import UnsupportedOperation
from validate.coreml.model import Arithmetic, Model, load

__all__ = [
    "Arithmetic",
    "Intermediate",
    "Model",
    "StateBuffer",
    "UnsupportedOperation",
    "Watch",
    "load",
]
