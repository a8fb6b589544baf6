"""Give PyTorch's outputs, computed or stored.

network          built again from the bundle's checkpoint, and run
compressed       the network with the weights of a compressed file
stored           read from a file, without the checkpoint
recorder         writes that file
source_code      the user's own code, the same as at the export
"""
