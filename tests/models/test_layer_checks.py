"""A module pickled whole says what shapes cannot; what contradicts it is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
from small_networks import calibrated_unet
from torch import nn

from models.errors import InputError
from models.load import recognise_checkpoint
from models.specification import Choices

Save = Callable[..., Path]


def test_a_plain_network_is_faithful(saved: Save, unet: nn.Module) -> None:
    recognised = recognise_checkpoint(saved(nn.DataParallel(unet)))
    assert recognised.accounting.complete
    assert recognised.state.layers["encoder.conv1"]["kernel_size"] == (7, 7)


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_the_interpolation_is_taken_from_the_file(saved: Save, tmp_path: Path, mode: str) -> None:
    network = calibrated_unet(decoder_interpolation=mode)
    for path in (
        saved(network),
        saved(
            {
                "hyper_parameters": {"decoder_interpolation": mode},
                "state_dict": network.state_dict(),
            },
            "light.ckpt",
        ),
    ):
        specification = recognise_checkpoint(path).specification
        assert specification.arguments["decoder_interpolation"] == mode
        assert not specification.assumed
    network.save_pretrained(tmp_path / "pretrained")
    specification = recognise_checkpoint(tmp_path / "pretrained").specification
    assert specification.arguments["decoder_interpolation"] == mode


@pytest.mark.parametrize(
    ("activation", "recorded"),
    [("sigmoid", "sigmoid"), ("softmax2d", "softmax"), (None, "softmax")],
)
def test_the_last_activation_is_taken_from_the_file(
    saved: Save, tmp_path: Path, activation: str | None, recorded: str
) -> None:
    network = calibrated_unet(classes=3, activation=activation)
    network.save_pretrained(tmp_path / "pretrained")
    for path in (saved(network), tmp_path / "pretrained"):
        recognised = recognise_checkpoint(path)
        assert recognised.specification.activation == recorded
        assert recognised.specification.independent == (recorded == "sigmoid")
    asked = recognise_checkpoint(path, choices=Choices(activation="softmax"))
    assert asked.specification.activation == "softmax"


def test_a_last_activation_that_is_no_probability_is_refused(saved: Save) -> None:
    network = calibrated_unet(classes=3, activation="tanh")
    with pytest.raises(InputError, match=r"segmentation_head\.2\.activation is a Tanh"):
        recognise_checkpoint(saved(network))


class Halves(nn.Module):
    """A network that no family knows."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Conv2d(3, 2, 1), nn.Conv2d(3, 2, 1)


def test_an_unknown_module_pickled_whole_names_its_class(saved: Save) -> None:
    for network in (Halves(), nn.DataParallel(Halves())):
        with pytest.raises(InputError, match=r"MODEL=path/to/test_layer_checks\.py:Halves\."):
            recognise_checkpoint(saved(network))


def test_another_activation_is_refused(saved: Save) -> None:
    network = calibrated_unet()
    network.decoder.blocks[0].conv1[2] = nn.LeakyReLU(0.1)
    with pytest.raises(InputError, match=r"blocks\.0\.conv1\.2 is a LeakyReLU, not a ReLU"):
        recognise_checkpoint(saved(network))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda n: setattr(n.encoder.bn1, "eps", 1e-3), "encoder.bn1 has eps 0.001, not 1e-05"),
        (lambda n: setattr(n.encoder.conv1, "padding_mode", "reflect"), "padding_mode reflect"),
        (lambda n: setattr(n.encoder.maxpool, "ceil_mode", True), "ceil_mode True, not False"),
    ],
)
def test_another_setting_is_refused(
    saved: Save, change: Callable[[nn.Module], None], told: str
) -> None:
    network = calibrated_unet()
    change(network)
    with pytest.raises(InputError, match=told):
        recognise_checkpoint(saved(network))
