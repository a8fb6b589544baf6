"""Load a network from the user's own code, named by `--model`.

option           FILE.py:CLASS and its keywords
load_module      imports and calls it: the only place that runs code of others
probe            the input sizes that it takes
outputs          the one of its outputs that holds the logits
family           the specification of what it built
errors           what the user's code raised, in a sentence
"""
