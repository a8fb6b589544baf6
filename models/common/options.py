"""Command-line options that inspecting, exporting and validating share."""

from collections.abc import Callable
from typing import Any

import click

Command = Callable[..., Any]

CHECKPOINT = click.argument("checkpoint", type=click.Path(path_type=str))
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


def with_options(options: tuple[Callable[[Command], Command], ...]) -> Callable[[Command], Command]:
    """Give a command several options, in the order in which its help lists them."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
