"""Small Core ML packages for the tests, built with coremltools' program builder."""

import gc
import logging
import warnings

import pytest

logging.getLogger("coremltools").setLevel(logging.ERROR)

import coremltools as ct  # noqa: E402 (its import logs a page of warnings off a Mac)

from validate.coreml.reader.specification import Model_pb2  # noqa: E402


@pytest.fixture
def save_program(tmp_path):
    """Return a function that saves a program as a package and returns its path."""

    def save(program, precision="float32", target=ct.target.iOS15, name="model", **options):
        plain = {"float16": ct.precision.FLOAT16, "float32": ct.precision.FLOAT32}
        compute = plain[precision] if isinstance(precision, str) else precision
        path = tmp_path / f"{name}.mlpackage"
        with warnings.catch_warnings():
            # coremltools leaves its temporary folders to the garbage collector.
            warnings.simplefilter("ignore", ResourceWarning)
            model = ct.convert(
                program,
                convert_to="mlprogram",
                compute_precision=compute,
                minimum_deployment_target=target,
                pass_pipeline=options.pop("pass_pipeline", ct.PassPipeline.EMPTY),
                skip_model_load=True,
                **options,
            )
            model.save(str(path))
            del model
            gc.collect()
        return path

    return save


@pytest.fixture
def edit_model():
    """Return a function that changes the protobuf of a saved package in place."""

    def edit(path, change):
        file = path / "Data" / "com.apple.CoreML" / "model.mlmodel"
        model = Model_pb2.Model.FromString(file.read_bytes())
        change(model)
        file.write_bytes(model.SerializeToString())

    return edit
