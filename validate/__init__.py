"""Judge files: run them on pictures and compare them with PyTorch.

images/          pictures in, colours out
runtimes/        one module a runtime
coreml/          executes Core ML files on any machine
reference/       PyTorch's outputs, live or stored
metrics/         how far apart, how far allowed
parity/          runs every artifact of a bundle
precision/       what float16 cannot hold, and its repair
drift/           an artifact beside PyTorch, operation by operation
results/         what was found, as plain data
report/          what was found, for people and programs
predict/         masks on photos
ios/             what goes into the app, and what it reports back
"""
