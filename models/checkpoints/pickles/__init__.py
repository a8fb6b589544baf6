"""Interpret pickles without running anything in them.

unpickler, stack    a pickle interpreted
policy              what a name in a pickle may do
allowed_names, rebuild, numpy_values    the names that honest files use, and what stands in
records             names, objects and tensors of a pickle, unable to do anything
"""
