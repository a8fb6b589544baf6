"""A network of the user's own: Python code that runs because the user named it on this command.

    naming    MODEL=path/to/file.py:Class and MODEL_ARGS={…}, read without running anything
    running   imports the file, calls the class or function, keeps the hashes of what ran
    outputs   the one tensor of logits in whatever `forward` returns
    probing   channels, classes and sizes, found by running the network on small inputs
    family    what the key accounting and the loading ask of a family

Nothing here is reached by what a checkpoint or a bundle says: a name in one is never imported.
"""
