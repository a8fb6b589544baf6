"""Lower the layers of a NeuralNetwork to the executable steps of `validate.coreml.graph`.

    versions      the specification version that each layer needs
    inventory     which layers a network has, and which cannot be executed
    lowering      a network -> graph.Graph
    boundary      its inputs, the preprocessing of images, the shapes of classic networks
    outputs       its outputs, and the label of a classifier
    scope         names of values: nested networks see those around them and may overwrite them
    control_flow  branches and loops -> steps with blocks
    registry      one layer type is one function that prepares its computation, by its name in
                  NeuralNetwork.proto
    layers/       those functions, by family; operations of ML programs are used where they mean
                  the same
    weights       float32, float16 and quantized weights -> tensors
    batch_axes    the rule of the classic layers: what comes before (C, H, W) is batch

Neural networks compute in float32 whatever their weights are stored as, and every value is float32:
the two arithmetics of ML programs are one here.
"""

from validate.coreml.neuralnetwork.lowering import lower

__all__ = ["lower"]
