"""Read checkpoints and build their networks.

load             checkpoint → recognised network with its weights
specification    the description of a network and of its input
deployable       the module that is traced: normalisation, network, decision
labels           names and colours of the classes
key_report       loaded, renamed and ignored keys; the refusal of all others
layer_checks     a whole pickled module held to its own strides, epsilons and activations
weight_checks    NaN, impossible batch norms, layers that were never trained
inspect          `segport inspect`
meta_device      networks without memory for their weights
torchvision_shim what smp and timm need beside a CPU-only torch
errors           what a user can meet, with exit codes
checkpoints/     files; families/: networks; custom/: the user's own code
demo/            the demonstration checkpoint
common/          what every command shares
"""
