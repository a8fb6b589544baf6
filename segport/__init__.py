"""Take a trained segmentation checkpoint, or a network in memory, to the phone, with proof.

    bundle = segport.export(model, size=(512, 384), labels=["background", "scratch"])
    report = segport.validate(bundle, samples="photos/")
    for prediction in segport.predict(bundle, "photos/"):
        print(prediction.name, prediction.areas)
    model = segport.load_coreml(bundle.files["mlprogram"])

Nothing heavy is imported before one of these is called. They print nothing unless `verbose` is
true, raise `InputError` for what cannot be used, and `ValidationFailed` where an exported file does
not compute what PyTorch computes. docs/api.md has examples.
"""

from models.errors import InputError, SegportError, ValidationFailed

__version__ = "0.1.0"

from segport.api import Bundle, Prediction, export, load_coreml, predict, validate

__all__ = [
    "Bundle",
    "InputError",
    "Prediction",
    "SegportError",
    "ValidationFailed",
    "__version__",
    "export",
    "load_coreml",
    "predict",
    "validate",
]
