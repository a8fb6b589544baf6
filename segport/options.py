"""Declare every option of the command line once; commands take those that they share from here."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from export.compression.forms import DEFAULT_MIN_IOU, FORMS, OLDEST_TARGET
from export.settings import DEFAULT_FORMATS, DEFAULT_TARGET

Command = Callable[..., Any]
PATH = click.Path(path_type=Path)

CHECKPOINT = click.argument("checkpoint", type=PATH)
BUNDLE = click.argument("bundle", type=PATH)

MODULE = (
    click.option(
        "--model",
        metavar="FILE.py:CLASS",
        help="A network of your own, whose code is run: a class or function in a file, or "
        "package.module:factory. [default: recognised from the checkpoint's keys]",
    ),
    click.option(
        "--model-args",
        metavar="JSON",
        help="Keywords that --model is called with, as '{\"classes\": 3}'.",
    ),
)
READING = (
    *MODULE,
    click.option(
        "--weights",
        metavar="ENTRY",
        help="Which weights of the file: 'ema', or the entry's name as a message lists it.",
    ),
    click.option("--encoder", metavar="NAME", help="smp's name of the encoder, as resnet34."),
    click.option(
        "--interpolation",
        metavar="MODE",
        help="The decoder's up-sampling, which shapes cannot tell: nearest (default), bilinear …",
    ),
    click.option(
        "--padding",
        type=click.Choice(["same", "valid"]),
        help="Of a U-Net's 3×3 convolutions, which shapes cannot tell: 'valid' is the unpadded "
        "U-Net, whose output is smaller than its input.",
    ),
    click.option(
        "--branch",
        metavar="1…4|mean",
        help="Which head of a U-Net++ with deep supervision is exported. [default: the last]",
    ),
    click.option(
        "--activation",
        type=click.Choice(["sigmoid", "softmax"]),
        help="Whether several channels are independent (sigmoid) or exclude each other (softmax). "
        "[default: softmax, or what the network is known to end in]",
    ),
    click.option(
        "--labels",
        metavar="A,B,…",
        help="Name of every class, background first; of every channel, where they are independent.",
    ),
)
WRITING = (
    click.option(
        "--size",
        metavar="WIDTHxHEIGHT",
        help="Size of the input in pixels. [default: 256x256, or the next that fits]",
    ),
    click.option(
        "--out",
        type=PATH,
        default=Path("build"),
        show_default=True,
        help="Folder that the bundle goes into.",
    ),
    click.option("--name", help="The bundle's name. [default: made of the checkpoint's]"),
    click.option(
        "--formats",
        metavar="A,B,…",
        help="Which of torchscript, mlprogram, neuralnetwork, onnx. "
        f"[default: {','.join(DEFAULT_FORMATS)}]",
    ),
    click.option(
        "--target",
        metavar="iOS13…26",
        help="Core ML deployment target; a network may need a newer one. "
        f"[default: {DEFAULT_TARGET}; {OLDEST_TARGET} with --compress]",
    ),
    click.option(
        "--compress",
        metavar="FORM",
        help="Write the mlprogram once more with smaller weights, as NAME.small.mlpackage: "
        f"{', '.join(FORMS)}. [default: none]",
    ),
    click.option(
        "--min-iou",
        type=float,
        metavar="0…1",
        help="Least IoU of the smaller file's masks to PyTorch's, of each class. "
        f"[default: {DEFAULT_MIN_IOU:g}]",
    ),
    click.option(
        "--mean", metavar="R,G,B", help="Subtracted from the picture in [0, 1]. [default: none]"
    ),
    click.option("--std", metavar="R,G,B", help="The picture is divided by it. [default: none]"),
    click.option("--licence", help="Goes into the metadata of every file."),
    click.option("--author", help="Goes into the metadata of every file."),
)
TIME_LIMIT = click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="How long a file may take for one run, on a picture or a batch. [default: 600]",
)
SAMPLES = click.option(
    "--samples",
    type=PATH,
    help="Folder of photos for the parity check. [default: the rendered samples]",
)
JUDGING = (
    SAMPLES,
    click.option(
        "--coreml",
        type=click.Choice(["native", "reference", "both"]),
        help="Which runtime judges Core ML files. [default: native on a Mac, else reference]",
    ),
    click.option(
        "--tolerances", type=PATH, help="TOML file of limits in the place of the built-in ones."
    ),
    click.option(
        "--allow-unjudged",
        metavar="A,B,…",
        help="Formats whose files may pass though nothing here can run them. [default: none]",
    ),
    TIME_LIMIT,
)
ANYWAY = click.option(
    "--anyway",
    is_flag=True,
    help="Use a bundle whose last verdict failed, or is about other files than it has now.",
)
ORIGIN = (
    click.option(
        "--checkpoint",
        type=PATH,
        help="Where the bundle's checkpoint lies. [default: where it lay when the bundle was "
        "made, in the bundle, or here]",
    ),
    *MODULE,
)
REFERENCE = (
    click.option(
        "--reference",
        type=PATH,
        help="Judge against what --write-reference stored, without the checkpoint.",
    ),
    click.option(
        "--write-reference",
        type=PATH,
        help="Store PyTorch's outputs on the samples in this file (.npz).",
    ),
)
ACCOUNTS = (
    click.option(
        "--drift",
        is_flag=True,
        help="Also follow each file operation by operation, and name the first that departs.",
    ),
    click.option(
        "--ranges",
        is_flag=True,
        help="Also measure what each operation and its weights need of float16.",
    ),
)


def with_options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Give a command several options, in the order in which its help lists them."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
