"""Run graphs of steps.

fusion              joins steps that are cheaper together
executor            runs a graph: values let go after their last use
usage               what a prediction uses of the limits
rounding            to FP16 and back
declarations        compares results with what the file declares
"""
