"""Golden vectors of records: metadata, latencies, fingerprints, parity, a device report."""

import json
from collections.abc import Mapping
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from damagekit.contract import Contract, ContractError, read_contract
from damagekit.masks import decide
from damagekit.parity import compare, largest_error, outputs_of, range_of
from damagekit.vectors_pictures import bytes_of
from export.metadata import PREFIX, Description, metadata
from models.labels import Labels, colour_of
from models.specification import InputContract, Specification
from validate.ios.golden import DeviceGate, describe_fixture, describe_sample, fingerprint

SHA256 = "0123456789abcdef" * 4
GATE = DeviceGate(
    largest_error=0.02, decisive_flips=0, min_iou=0.9, agreeing_pixels=4, reason="for the test"
)
BREAKAGES = {
    "no schema": ("schema", None),
    "a later schema": ("schema", "2"),
    "no labels": ("labels", None),
    "labels that are no JSON": ("labels", "background, breakage"),
    "labels that are no list": ("labels", '{"0": "background"}'),
    "an empty label": ("labels", '["background", ""]'),
    "too few labels": ("labels", '["background"]'),
    "too many colours": ("colours", '["0x00000000", "0xFF0000FF", "0x00FF00FF"]'),
    "a colour in another notation": ("colours", '["#00000000", "#FF0000FF"]'),
    "no classes": ("classes", None),
    "classes that are no number": ("classes", "two"),
    "zero classes": ("classes", "0"),
    "one class with softmax": ("classes", "1"),
    "an unknown activation": ("activation", "tanh"),
    "two independent classes": ("activation", "sigmoid"),
    "no input": ("input", None),
    "an input without a width": ("input", '{"name": "image", "height": 64}'),
    "a checkpoint without a hash": ("checkpoint", '{"file": "a.pt"}'),
}
INPUT_BREAKAGES: Mapping[str, Mapping[str, object]] = {
    "no area": {"width": 0},
    "BGR": {"colour": "BGR"},
    "grey": {"colour": "grey"},
    "five channels": {"colour": "5 channels"},
    "an unknown resize": {"resize": "squash"},
    "mean outside": {"mean": [0.5, 0.5, 0.5], "mean_and_std_applied_inside": False},
}
INPUT_VARIANTS: Mapping[str, Mapping[str, object]] = {
    "letterbox": {"resize": "letterbox, bilinear"},
    "centre crop": {"resize": "centre crop, bilinear"},
    "mean inside": {"mean": [0.5, 0.5, 0.5], "mean_and_std_applied_inside": True},
}


def exported_metadata(
    classes: int = 2, names: tuple[str, ...] = ("background", "breakage")
) -> dict[str, str]:
    """Return what the exporter writes for a small network, less the versions of its packages."""
    specification = Specification("smp", "Unet", 3, classes, 32, {"encoder_name": "resnet34"})
    labels = Labels(names, tuple(colour_of(value) for value in range(len(names))), "LABELS")
    described = Description(specification, InputContract(320, 256), labels, "breakage.pt", SHA256)
    return {key: text for key, text in metadata(described).items() if key != f"{PREFIX}versions"}


def contracts() -> list[dict[str, object]]:
    """Metadata of healthy models, and metadata broken in one place each."""
    healthy = exported_metadata()
    cases: dict[str, dict[str, str]] = {
        "two classes": healthy,
        "one class": exported_metadata(1),
        "labels in Korean": exported_metadata(3, ("배경", "파손", "긁힘")),
        "no checkpoint and no network": {
            key: text
            for key, text in healthy.items()
            if key not in (f"{PREFIX}checkpoint", f"{PREFIX}network")
        },
        "nothing": {},
    }
    for name, (key, text) in BREAKAGES.items():
        cases[name] = _with(healthy, key, text)
    for name, change in {**INPUT_BREAKAGES, **INPUT_VARIANTS}.items():
        picture = {**json.loads(healthy[f"{PREFIX}input"]), **change}
        cases[f"input: {name}"] = _with(healthy, "input", json.dumps(picture))
    return [_contract_case(name, entries) for name, entries in cases.items()]


def _with(entries: Mapping[str, str], key: str, text: str | None) -> dict[str, str]:
    kept = {name: value for name, value in entries.items() if name != PREFIX + key}
    return kept if text is None else {**kept, PREFIX + key: text}


def _contract_case(name: str, entries: Mapping[str, str]) -> dict[str, object]:
    case: dict[str, object] = {"name": name, "metadata": entries}
    try:
        contract: Contract = read_contract(entries)
    except ContractError as error:
        return {**case, "error": {"kind": error.kind, "keys": error.keys}}
    return {**case, "contract": asdict(contract)}


def latencies() -> list[dict[str, object]]:
    """Statistics of measurements, with and without warm-up."""
    generator = np.random.default_rng(25)
    many = np.round(generator.gamma(9, 2, 40), 3).tolist()
    cases: list[dict[str, object]] = []
    for measured in ([5.0], [3.0, 1.0], [9.0, 1.0, 2.0, 3.0, 4.0], many):
        for warm_up in (0, 1, 3):
            rest = measured[warm_up:]
            statistics = (
                {
                    "count": len(rest),
                    "median": float(np.quantile(rest, 0.5)),
                    "percentile90": float(np.quantile(rest, 0.9)),
                    "smallest": min(rest),
                    "largest": max(rest),
                }
                if rest
                else None
            )
            cases.append({"measured": measured, "warm_up": warm_up, "statistics": statistics})
    return cases


def fingerprints() -> list[dict[str, object]]:
    """The checksum of no byte, of one, and of every byte twice."""
    return [
        {"bytes": list(data), "fingerprint": fingerprint(data)}
        for data in (b"", b"a", b"foobar", bytes(range(256)) * 2)
    ]


def parity() -> dict[str, object]:
    """A small fixture with a faithful, a slightly noisy and a wrong answer to each sample."""
    generator = np.random.default_rng(26)
    samples, answers = [], []
    for number, channels in enumerate((2, 3, 1)):
        logits = generator.normal(size=(channels, 8, 12)).astype(np.float32)
        picture = generator.integers(0, 256, (8, 12, 3)).astype(np.uint8)
        name = f"sample_{number}"
        samples.append(
            describe_sample(
                name, f"{name}.png", picture, outputs_of(logits), GATE, range_of(logits)
            )
        )
        for noise in (0.0, 0.02, 1.0):
            answers.append(_answer(name, logits, noise, generator))
    fixture = describe_fixture(
        "breakage", SHA256, ("background", "breakage"), (12, 8), GATE, samples
    )
    return {"fixture": fixture, "answers": answers}


def _answer(
    name: str, logits: NDArray[np.float32], noise: float, generator: np.random.Generator
) -> dict[str, object]:
    noisy = (logits + noise * generator.normal(size=logits.shape)).astype(np.float32)
    error = largest_error(logits, noisy)
    return {
        "shape": noisy.shape,
        "logits": bytes_of(noisy),
        "result": compare(name, logits, decide(noisy), GATE, error),
    }


def report() -> dict[str, object]:
    """A report as a device shares it: one run that passed, one that failed, one that stopped."""
    answers = parity()["answers"]
    results = [answer["result"] for answer in answers]  # type: ignore[attr-defined]
    good = [result for result in results if result["passed"]][:2]
    bad = [result for result in results if not result["passed"]][:1]
    statistics = latencies()[-1]["statistics"]
    runs = [
        _run("all", statistics, good, None),
        _run("cpu_and_gpu", statistics, [*good, *bad], None),
        _run("cpu_and_neural_engine", None, [], "The model could not be loaded."),
    ]
    return {
        "schema": "2",
        "created": "2026-01-02T03:04:05Z",
        "device": {"model": "iPhone15,2", "system": "iOS 17.5", "app": "1.0"},
        "model": {
            "name": "breakage",
            "network": "smp Unet, encoder resnet34",
            "checkpoint_sha256": SHA256,
        },
        "gate": asdict(GATE),
        "runs": runs,
        "passed": False,
    }


def _run(
    units: str, statistics: object, samples: list[dict[str, object]], failure: str | None
) -> dict[str, object]:
    passed = failure is None and bool(samples) and all(s["passed"] for s in samples)
    run = {"compute_units": units, "samples": samples, "passed": passed}
    optional = {"inference_milliseconds": statistics, "failure": failure}
    # The app leaves out what it does not know.
    return {**run, **{key: value for key, value in optional.items() if value is not None}}
