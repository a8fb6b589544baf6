"""Run coremltools' own tests of its operations with this runtime standing in for Core ML.

    python -m conformance

coremltools is installed with its tests: for every operation of MIL, and for the layers of neural
networks, they build a model, predict and compare with numbers from numpy, PyTorch or by hand. Off
macOS they stop before they predict. Here they go on:

    suite        which of coremltools' test files take part, and how their cases are named
    stand_in     puts the runtime where coremltools expects Core ML
    native       on a Mac, Core ML itself beside the runtime
    plugin       the pytest plugin that does so, and writes down each case's outcome
    outcomes     the outcome of a case, read and written as lines of JSON
    pytest_run   runs pytest, alone or on several processes, from where an earlier run stopped
    exceptions   the cases whose expectation cannot apply, with the reason (`exceptions.toml`)
    report       the table, the JSON of all failing cases and the page for the docs

A case that coremltools marks as an expected failure of Core ML is run like any other.
"""
