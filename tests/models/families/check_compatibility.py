"""Exports every family through every format and writes docs/compatibility.md: `make compatibility`.

Each row is a checkpoint that the export command takes as a user's would be. What is done already
is kept in build/compatibility.json, so that a stopped run goes on; remove it to begin again.
"""

import contextlib
import gc
import io
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "models")]

import click  # noqa: E402
import torch  # noqa: E402
from smp_networks import VIT, calibrated  # noqa: E402
from test_families_exported import FAMILIES as WRITTEN_BY_HAND  # noqa: E402

from models.errors import SegportError  # noqa: E402
from models.families.recognise import FAMILIES, recognise  # noqa: E402
from models.specification import Choices  # noqa: E402
from segport.__main__ import group  # noqa: E402
from validate.report.json_file import read_results  # noqa: E402

PAGE, DONE = ROOT / "docs" / "compatibility.md", ROOT / "build" / "compatibility.json"
FORMATS = {
    "torchscript": "TorchScript",
    "mlprogram": "mlprogram, FP16",
    "neuralnetwork": "NeuralNetwork",
    "onnx": "ONNX",
}
State = dict[str, torch.Tensor]
ENCODERS = """
resnet18 resnext50_32x4d se_resnet50 densenet121 efficientnet-b0 mobilenet_v2 mobileone_s0 mit_b0
vgg11_bn xception inceptionv4 dpn68 timm-efficientnet-b0 timm-skresnet18 tu-resnet18
tu-regnetx_002 tu-resnest14d tu-res2net50_26w_4s tu-gernet_s tu-tf_mobilenetv3_small_100
tu-convnext_atto tu-mobilenetv4_conv_small tu-fastvit_t8 tu-mobilevitv2_050
tu-swin_tiny_patch4_window7_224 tu-hrnet_w18_small tu-edgenext_xx_small tu-efficientvit_b0
tu-ghostnet_100 tu-dla34 tu-efficientnet_b0
""".split()
# Encoders below the other architectures, so that each has some of several kinds.
BELOW = {
    "UnetPlusPlus": "resnet18 efficientnet-b0 resnext50_32x4d se_resnet50 densenet121",
    "MAnet": "resnet18 mit_b0 efficientnet-b0 mobilenet_v2 mobileone_s0",
    "Linknet": "resnet18 tu-convnext_atto vgg11_bn xception inceptionv4 dpn68",
    "FPN": "resnet18 mobilenet_v2 inceptionv4 dpn68 timm-efficientnet-b0 timm-skresnet18",
    "PSPNet": "resnet18 tu-regnetx_002 timm-skresnet18 tu-resnest14d tu-dla34",
    "DeepLabV3": "resnet18 tu-regnetx_002 tu-resnest14d tu-res2net50_26w_4s tu-gernet_s",
    "DeepLabV3Plus": "resnet18 mobilenet_v2 tu-convnext_atto tu-mobilenetv4_conv_small "
    "tu-mobilevitv2_050",
    "PAN": "resnet18 efficientnet-b0 tu-efficientnet_b0 se_resnet50 tu-mobilevitv2_050",
    "UPerNet": "resnet18 tu-convnext_atto tu-hrnet_w18_small tu-edgenext_xx_small "
    "tu-efficientvit_b0 tu-ghostnet_100",
    "Segformer": "resnet18 mit_b0 tu-ghostnet_100 tu-dla34 tu-efficientnet_b0",
    "DPT": f"{VIT} tu-deit3_small_patch16_224",
}
SIDES = {"DPT": 224, "PAN": 128, "tu-swin_tiny_patch4_window7_224": 224}
SAMPLES = 3  # pictures that each file is judged on
INTRODUCTION = """# Which networks go through which format

Made by `make compatibility`; do not edit. {written} of the {asked} files that were asked for of
{networks} networks were written and agree with PyTorch. Each row is an untrained, seeded network
whose batch norms are measured, saved as a state dict and exported by `segport export`, which
recognises it from keys and shapes and judges each file against PyTorch on three pictures of
`samples/`. A number is the PSNR of its logits in dB, and says that the file was written and
parity holds. Core ML files are judged by the reference runtime. "by itself" means that nothing
but the checkpoint was given; otherwise the option that settles what shapes cannot tell.

"""


@dataclass(frozen=True)
class Example:
    """A checkpoint to export, under the name that its row has."""

    family: str
    encoder: str
    make: Callable[[], State]
    options: tuple[str, ...]

    @property
    def title(self) -> str:
        """What the row is kept under."""
        return f"{self.family} {self.encoder}".strip()


def examples() -> Iterator[Example]:
    """Every row: smp's encoders, its other architectures, families that are written by hand."""
    yield from (_of_smp("Unet", encoder) for encoder in ENCODERS)
    for architecture, encoders in BELOW.items():
        yield from (_of_smp(architecture, encoder) for encoder in encoders.split())
    for name, (make, options) in WRITTEN_BY_HAND.items():
        size = () if "--size" in options else ("--size", "64")
        yield Example(name, "", make, (*size, *options))


def _of_smp(architecture: str, encoder: str) -> Example:
    side = SIDES.get(architecture, SIDES.get(encoder, 64))

    def make() -> State:
        return calibrated(architecture, encoder, side).state_dict()

    return Example(f"smp {architecture}", encoder, make, ("--size", str(side)))


def row_of(example: Example) -> dict[str, str]:
    """The family that took it, how it was recognised, and a cell for each format."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.pt"
        torch.save(example.make(), path)
        state = torch.load(path, weights_only=True)
        shapes = {key: tuple(tensor.shape) for key, tensor in state.items()}
        options = dict(zip(example.options[::2], example.options[1::2], strict=True))
        try:
            family, _ = recognise(path, shapes, _choices(options))
        except SegportError:
            options["--encoder"] = example.encoder
            family, _ = recognise(path, shapes, _choices(options))
        settled = ", ".join(f"{k[2:].upper()}={v}" for k, v in options.items() if k != "--size")
        words = tuple(word for option in options.items() for word in option)
        how = settled or "by itself"
        return {"module": family.name, "how": how, **_cells(path, words)}


def _choices(options: dict[str, str]) -> Choices:
    return Choices(**{name[2:]: value for name, value in options.items() if name != "--size"})


def _cells(path: Path, options: tuple[str, ...]) -> dict[str, str]:
    """All formats in one run; one by one where that fails, so that each says what it cannot do."""
    together = _export(path, options, ",".join(FORMATS))
    if isinstance(together, dict) and set(together) == set(FORMATS):
        return together
    cells = {}
    for form in FORMATS:
        alone = _export(path, options, form)
        cells[form] = alone if isinstance(alone, str) else alone[form]
    return cells


def _export(path: Path, options: tuple[str, ...], formats: str) -> dict[str, str] | str:
    out = path.parent / "build"
    shutil.rmtree(out, ignore_errors=True)
    samples = path.parent / "samples"
    if not samples.exists():
        samples.mkdir()
        for picture in sorted((ROOT / "samples").glob("*.jpg"))[:SAMPLES]:
            shutil.copy(picture, samples)
    words = [
        "export",
        str(path),
        "--out",
        str(out),
        "--formats",
        formats,
        "--samples",
        str(samples),
    ]
    words += options
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            group.main(words, prog_name="segport", standalone_mode=False)
    except SegportError as error:
        if not (out / "net.failed" / "parity.json").exists():
            return f"no: {error}"
    folders = [
        out / name for name in ("net.failed", "net") if (out / name / "parity.json").exists()
    ]
    results = read_results(folders[0] / "parity.json").results
    cells = {}
    for result in results:
        value = "exact" if result.total is None or result.total.psnr is None else None
        value = value or f"{result.total.psnr:.0f}"
        good = result.status == "passed"
        cells[result.format] = value if good else f"{result.status}: {'; '.join(result.reasons)}"
    return cells


def page(rows: dict[str, dict[str, str]]) -> str:
    """The page's text: the table, what did not go through, and families without a row."""
    heads = ["network", "encoder", "recognised", *FORMATS.values()]
    lines = [f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads)]
    notes: list[str] = []
    done = [example for example in examples() if example.title in rows]
    for example in done:
        row = rows[example.title]
        cells = [_cell(row[form], notes) for form in FORMATS]
        lines.append(f"| {' | '.join([example.family, example.encoder, row['how'], *cells])} |")
    written = sum(_holds(rows[example.title][form]) for example in done for form in FORMATS)
    asked = len(done) * len(FORMATS)
    text = INTRODUCTION.format(written=written, asked=asked, networks=len(done))
    text += "\n".join(lines) + "\n"
    if notes:
        text += "\nWhat did not go through:\n\n"
        text += "".join(f"{number}. {note}\n" for number, note in enumerate(notes, 1))
    absent = {family.name for family in FAMILIES} - {row["module"] for row in rows.values()}
    return text + (f"\nNot run here: {', '.join(sorted(absent))}.\n" if absent else "")


def _holds(value: str) -> bool:
    return value.isdigit() or value == "exact"


def _cell(value: str, notes: list[str]) -> str:
    if _holds(value):
        return value
    if value not in notes:
        notes.append(value)
    return f"no ({notes.index(value) + 1})"


def main(*titles: str) -> None:
    """Run what is not done yet, or those of `titles`, and write the page."""
    rows = json.loads(DONE.read_text()) if DONE.exists() else {}
    for example in examples():
        if example.title in rows or (titles and example.title not in titles):
            continue
        try:
            rows[example.title] = row_of(example)
        except SegportError as error:
            rows[example.title] = {"module": "", "how": f"no: {error}"}
            rows[example.title] |= dict.fromkeys(FORMATS, f"no: {error}")
        click.echo(f"{example.title}: {rows[example.title]} ({time.process_time():.0f} s)")
        DONE.parent.mkdir(exist_ok=True)
        DONE.write_text(json.dumps(rows, indent=1))
        gc.collect()
    PAGE.write_text(page(rows))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*sys.argv[1:])
