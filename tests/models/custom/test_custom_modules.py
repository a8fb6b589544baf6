"""A network of the user's own: found, built, probed, and its weights computed with exactly.

The oracle is functional code over the checkpoint's tensors (custom_modules.logits_of).
"""

import sys
from pathlib import Path

import pytest
import torch
from custom_modules import logits_of, named, net_file, trained

from models.custom.option import parse_named
from models.errors import InputError
from models.load import load_network, recognise_checkpoint
from models.specification import Choices


def image(side: int = 16) -> torch.Tensor:
    return torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("returned", "activation"),
    [
        ("return y", "softmax"),
        ("return torch.sigmoid(y)", "sigmoid"),
        ("return self.last(y)", "sigmoid"),
        ("return F.softmax(y, dim=1)", "softmax"),
        ("return nn.Softmax2d()(y)", "softmax"),
        ("return y.log_softmax(1)", "softmax"),
        ("return {'aux': low, 'out': y.sigmoid()}", "sigmoid"),
        ("return (y, low)", "softmax"),
        ("return [y[:, :, ::2, ::2], y]", "softmax"),
        ("return type('Output', (), {})() if self.training else [[y, low], x]", "softmax"),
    ],
)
def test_logits_are_found_in_what_forward_returns(
    returned: str, activation: str, tmp_path: Path
) -> None:
    path = trained(tmp_path)
    found = recognise_checkpoint(path, module=named(net_file(tmp_path, returned)))
    specification = found.specification
    assert torch.allclose(load_network(found)(image()), logits_of(path, image()), atol=1e-5)
    assert (specification.in_channels, specification.classes) == (3, 2)
    assert (specification.stride, specification.offset, specification.margin) == (2, 0, 0)
    assert specification.activation == activation
    assert specification.title == "own module net.py:Net"
    assert any("ends in a" in note for note in found.notes) == (
        activation == "sigmoid" or "oftmax" in returned
    )


def test_one_channel_without_its_dimension(tmp_path: Path) -> None:
    path = trained(tmp_path, classes=1)
    source = net_file(tmp_path, "return torch.sigmoid(y).squeeze(1)")
    found = recognise_checkpoint(path, module=named(source, '{"classes": 1}'))
    assert torch.allclose(load_network(found)(image()), logits_of(path, image()), atol=1e-5)
    assert (found.specification.classes, found.specification.activation) == (1, "sigmoid")


def test_weights_below_a_wrapper_or_of_a_part(tmp_path: Path) -> None:
    source = net_file(tmp_path)
    below = recognise_checkpoint(trained(tmp_path, prefix="module.net."), module=named(source))
    assert below.accounting.complete
    assert below.state.prefix == "module.net."
    source.write_text(
        source.read_text() + "\n\nclass Outer(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n        self.model = Net()\n\n"
        "    def forward(self, x):\n        return self.model(x)\n"
    )
    for prefix in ("", "model."):
        path = trained(tmp_path, prefix=prefix)
        part = recognise_checkpoint(path, module=named(source, attribute="Outer"))
        expected = logits_of(path, image(), prefix)
        assert torch.allclose(load_network(part)(image()), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("forward", "stride", "margin", "fixed"),
    [
        ("return F.conv2d(F.pad(x, (1, 1, 1, 1)), self.w)", 1, 0, None),
        ("return F.conv2d(x, self.w)", 1, 1, None),
        ("return F.interpolate(F.avg_pool2d(x, 12), scale_factor=12)[:, :2]", 12, 0, None),
        ("return (x + torch.zeros(224, 224))[:, :2]", 224, 0, (224, 224)),
        ("return (x + torch.zeros(416, 416))[:, :2]", 416, 0, (416, 416)),
    ],
)
def test_sizes(
    forward: str, stride: int, margin: int, fixed: tuple[int, int] | None, tmp_path: Path
) -> None:
    source = tmp_path / "sizes.py"
    source.write_text(
        "import torch\nfrom torch import nn\nfrom torch.nn import functional as F\n"
        "class Net(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n"
        "        self.w = nn.Parameter(torch.randn(2, 3, 3, 3))\n"
        f"    def forward(self, x):\n        {forward}\n"
    )
    torch.save({"w": torch.ones(2, 3, 3, 3)}, tmp_path / "w.pt")
    found = recognise_checkpoint(tmp_path / "w.pt", module=named(source)).specification
    assert (found.stride, found.margin, found.fixed_size) == (stride, margin, fixed)


def test_siblings_relative_imports_and_packages_of_our_names(tmp_path: Path) -> None:
    """`models` is Segport's own package, and the commonest name of a user's folder."""
    path = trained(tmp_path)
    net_file(tmp_path / "project" / "models", name="parts.py")
    net_file(tmp_path / "project" / "nets", name="parts.py")
    places = {
        "project/plain.py": "from models.parts import Net",
        "project/models/beside.py": "from parts import Net",
        "project/models/above.py": "from nets.parts import Net",
        "project/models/relative.py": "from .parts import Net",
        "project/models/deep/relative.py": "from ..parts import Net",
    }
    before = set(sys.modules)
    for name, source in places.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
        found = recognise_checkpoint(path, module=named(tmp_path / name))
        assert found.own is not None
        files = [Path(file).name for file in found.own.ran.files]
        assert files == [Path(name).name, "parts.py"]
        assert all(not Path(file).is_absolute() for file in found.own.ran.files)
    assert set(sys.modules) == before
    assert sys.modules["models"].__file__ == str(Path(__file__).parents[3] / "models/__init__.py")


def test_a_factory_of_an_importable_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = trained(tmp_path, classes=3)
    net_file(tmp_path, name="importable_net.py")
    monkeypatch.syspath_prepend(tmp_path)
    module = parse_named("importable_net:Net", '{"classes": 3}')
    found = recognise_checkpoint(path, module=module)
    assert found.specification.classes == 3
    monkeypatch.delitem(sys.modules, "importable_net")


@pytest.mark.parametrize(
    ("model", "model_args", "sentence"),
    [
        ("{}", None, "names no class or function: write .* It has Net"),
        ("{}:", None, "names no class or function"),
        ("{}:Other", None, "there is no Other; the file has Net"),
        ("{}:torch", None, "is an object"),
        ("{}:absent.py:Net", None, "is not there: give the path"),
        ("no/such/package:Net", None, "is no file and no module"),
        ("no_such_package:Net", None, "cannot be imported: ModuleNotFoundError"),
        ("models.load:Net", None, "a package of Segport's own. Give the path"),
        ("{}:Net", "{'classes': 3}", r"is not JSON: .* MODEL_ARGS='{\"classes\": 3}'"),
        ("{}:Net", "[3]", "but not an object"),
        ("{}:Net", '{"clases": 3}', r"unexpected keyword .* \(net.py, line 7\). It takes \(class"),
        ("{}:Net", '{"classes": -3}', r"RuntimeError: .* \(net.py, line 13\)"),
        (None, "{}", "name it, as MODEL="),
    ],
)
def test_what_cannot_be_named(
    model: str | None, model_args: str | None, sentence: str, tmp_path: Path
) -> None:
    path, source = trained(tmp_path), net_file(tmp_path)
    with pytest.raises(InputError, match=sentence):
        recognise_checkpoint(path, module=parse_named(model and model.format(source), model_args))


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("import torch\nclass Net(:\n", r"SyntaxError: .* \(net.py, line 2\)"),
        ("import torch\n\nraise OSError('no disk')", r"OSError: no disk \(net.py, line 3\)"),
        ("import sys\nsys.exit(3)", r"SystemExit: 3 \(net.py, line 2\)"),
        ("from . import absent", "ImportError"),
        ("def Net():\n    return 3", "gives a int, not a torch.nn.Module"),
        ("import torch\nNet = torch.nn.Linear(2, 2)", "is an object .Linear."),
    ],
)
def test_code_that_gives_no_network(source: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(source)
    with pytest.raises(InputError, match=sentence):
        recognise_checkpoint(trained(tmp_path), module=named(tmp_path / "net.py"))


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        ("raise ValueError(x.shape)", r"runs on no input; .* ValueError: .* \(net.py, line 21\)"),
        ("return y.argmax(1)", "returns a Tensor, with no tensor of logits"),
        ("return {'boxes': y.mean((2, 3))}", "returns a dict of boxes, with no tensor"),
        ("return F.avg_pool2d(y, 4)", "gives logits of 16×16 for an input of 64×64: .* Resize"),
        ("return F.dropout(y)", "other logits for the same input each time"),
        ("return F.softmax(y[:, :1], 1)", "softmax over one channel"),
    ],
)
def test_forward_that_cannot_be_exported(returned: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=sentence):
        recognise_checkpoint(trained(tmp_path), module=named(net_file(tmp_path, returned)))


def test_keys_that_do_not_fit(tmp_path: Path) -> None:
    source = net_file(tmp_path)
    with pytest.raises(InputError, match=r"2 of wrong shape .*MODEL_ARGS= sets"):
        load_network(recognise_checkpoint(trained(tmp_path, classes=5), module=named(source)))
    torch.save({"odd.conv.weight": torch.ones(2, 3, 1, 1)}, tmp_path / "odd.pt")
    with pytest.raises(InputError, match=r"8 missing .*1 unexpected \(odd.conv.weight\)"):
        load_network(recognise_checkpoint(tmp_path / "odd.pt", module=named(source)))


def test_choices_of_known_networks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ENCODER=resnet34 is for networks that Segport builds"):
        recognise_checkpoint(
            trained(tmp_path),
            module=named(net_file(tmp_path)),
            choices=Choices(encoder="resnet34"),
        )


def test_a_checkpoint_runs_nothing(tmp_path: Path) -> None:
    """A module pickled whole names its class: that alone is no reason to import it."""
    source = net_file(tmp_path)
    source.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n" + source.read_text())
    with pytest.raises(InputError, match="is not a network that can be exported"):
        recognise_checkpoint(trained(tmp_path))
    assert not (tmp_path / "ran").exists()
