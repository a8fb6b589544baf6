"""Every container gives back the tensors that were saved, under the names they were saved with."""

import models.torchvision_shim  # noqa: F401  (before segmentation_models_pytorch)

import hashlib
import io
import json
import pickle
import shutil
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from models.checkpoints import normalise, read_checkpoint
from models.errors import InputError


class Block(nn.Module):
    """A network with everything a state dict can hold, small enough for fast tests."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        self.decoder = nn.Conv2d(4, 2, 1)
        self.register_buffer("scale", torch.ones(2), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.decoder(self.encoder(x))


@pytest.fixture
def network() -> Block:
    torch.manual_seed(0)
    return Block().eval()


def assert_same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype, name
        assert torch.equal(found[name], tensor), name


@pytest.mark.parametrize("protocol", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("modern", [True, False], ids=["zip", "legacy"])
def test_a_state_dict_survives_every_torch_format(
    tmp_path: Path, network: Block, modern: bool, protocol: int
) -> None:
    path = tmp_path / "net.pt"
    torch.save(
        network.state_dict(),
        path,
        pickle_protocol=protocol,
        _use_new_zipfile_serialization=modern,
    )
    checkpoint = read_checkpoint(path)
    assert checkpoint.container == ("torch zip" if modern else "torch legacy")
    assert checkpoint.entry == ""
    assert checkpoint.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert checkpoint.size == path.stat().st_size
    assert_same(checkpoint.tensors, network.state_dict())


@pytest.mark.parametrize(
    "dtype",
    "float16 bfloat16 float32 float64 float8_e4m3fn float8_e5m2 uint8 int8 int16 int32 int64 "
    "bool uint16 uint32 uint64".split(),
)
def test_every_usable_dtype_arrives_as_stored(tmp_path: Path, dtype: str) -> None:
    tensor = torch.arange(6).reshape(2, 3).to(getattr(torch, dtype))
    torch.save({"weight": tensor}, tmp_path / "net.pt")
    (found,) = read_checkpoint(tmp_path / "net.pt").tensors.values()
    assert found.dtype == tensor.dtype
    assert torch.equal(found.to(torch.float64), tensor.to(torch.float64))


@pytest.mark.parametrize("modern", [True, False], ids=["zip", "legacy"])
def test_views_keep_their_layout(tmp_path: Path, modern: bool) -> None:
    base = torch.arange(60.0).reshape(3, 4, 5)
    state = {
        "transposed.weight": base.permute(2, 0, 1),
        "sliced.weight": base[1:, ::2, 1:4],
        "channels_last.weight": torch.rand(2, 3, 4, 4).to(memory_format=torch.channels_last),
        "expanded.weight": torch.ones(1, 1).expand(4, 5),
        "scalar": base[2, 3, 4],
        "none": torch.empty(0, 3),
        "tied.weight": base,
    }
    torch.save(state, tmp_path / "net.pt", _use_new_zipfile_serialization=modern)
    found = read_checkpoint(tmp_path / "net.pt").tensors
    assert_same(found, state)
    assert found["transposed.weight"].stride() == state["transposed.weight"].stride()


def test_misaligned_records_are_read(tmp_path: Path, network: Block) -> None:
    torch.save(network.state_dict(), tmp_path / "net.pt")
    with (
        zipfile.ZipFile(tmp_path / "net.pt") as source,
        zipfile.ZipFile(tmp_path / "moved.pt", "w", zipfile.ZIP_STORED) as target,
    ):
        for number, info in enumerate(source.infolist()):
            target.writestr(info.filename, source.read(info.filename))
            target.writestr(f"padding{number}", b"x" * (number % 5))
    assert_same(read_checkpoint(tmp_path / "moved.pt").tensors, network.state_dict())


def test_a_file_repacked_with_compression_is_read(tmp_path: Path, network: Block) -> None:
    torch.save(network.state_dict(), tmp_path / "net.pt")
    with (
        zipfile.ZipFile(tmp_path / "net.pt") as source,
        zipfile.ZipFile(tmp_path / "packed.pt", "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            target.writestr(name, source.read(name))
    assert_same(read_checkpoint(tmp_path / "packed.pt").tensors, network.state_dict())


def test_a_file_without_checksums_is_read(tmp_path: Path, network: Block) -> None:
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(network.state_dict(), tmp_path / "net.pt")
    finally:
        torch.serialization.set_crc32_options(True)
    assert_same(read_checkpoint(tmp_path / "net.pt").tensors, network.state_dict())


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_writing_to_a_tensor_leaves_the_file_alone(
    tmp_path: Path, network: Block, kind: str
) -> None:
    path = tmp_path / "net.pt"
    if kind == "safetensors":
        save_file(network.state_dict(), path)
    else:
        torch.save(network.state_dict(), path, _use_new_zipfile_serialization=kind == "zip")
    before = path.read_bytes()
    for tensor in read_checkpoint(path).tensors.values():
        tensor.zero_()
    assert path.read_bytes() == before
    assert read_checkpoint(path).tensors["encoder.0.weight"].any()


def test_safetensors_with_metadata(tmp_path: Path, network: Block) -> None:
    path = tmp_path / "net.safetensors"
    metadata = {"labels": '["background", "breakage"]', "author": "someone"}
    save_file(network.state_dict(), path, metadata)
    checkpoint = read_checkpoint(path)
    assert checkpoint.container == "safetensors"
    assert checkpoint.config == {"labels": ["background", "breakage"], "author": "someone"}
    assert dict(sorted(checkpoint.tensors.items())).keys() == network.state_dict().keys() | set()
    for name, tensor in network.state_dict().items():
        assert torch.equal(checkpoint.tensors[name], tensor)


@pytest.fixture(scope="module")
def saved_by_smp(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, nn.Module]:
    import segmentation_models_pytorch as smp

    folder = tmp_path_factory.mktemp("smp") / "saved"
    model = smp.Unet("tu-mobilenetv3_small_050", encoder_weights=None, classes=3).eval()
    model.save_pretrained(folder)
    return folder, model


@pytest.mark.parametrize("named", ["folder", "file"])
def test_smp_save_pretrained(saved_by_smp: tuple[Path, nn.Module], named: str) -> None:
    folder, model = saved_by_smp
    path = folder if named == "folder" else folder / "model.safetensors"
    checkpoint = read_checkpoint(path)
    assert checkpoint.path == path
    assert checkpoint.container == "smp save_pretrained folder"
    config = checkpoint.config["config.json"]
    assert isinstance(config, dict)
    assert (config["_model_class"], config["classes"]) == ("Unet", 3)
    state = normalise(checkpoint)
    assert state.prefix == ""
    assert any(name.startswith("encoder.model.") for name in state.tensors)
    assert state.tensors.keys() == model.state_dict().keys()


def test_a_foreign_config_beside_the_weights_is_not_smps(
    saved_by_smp: tuple[Path, nn.Module], tmp_path: Path
) -> None:
    shutil.copy(saved_by_smp[0] / "model.safetensors", tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    assert read_checkpoint(tmp_path / "model.safetensors").container == "safetensors"
    with pytest.raises(InputError, match=r"no config\.json of smp's"):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize("how", ["traced", "scripted"])
def test_torchscript_archives(tmp_path: Path, network: Block, how: str) -> None:
    example = torch.rand(1, 3, 8, 8)
    script = torch.jit.trace(network, example) if how == "traced" else torch.jit.script(network)
    script.save(tmp_path / "net.pt")
    checkpoint = read_checkpoint(tmp_path / "net.pt")
    assert checkpoint.container == "TorchScript archive"
    expected = network.state_dict()
    found = {k: v for k, v in checkpoint.tensors.items() if k != "scale"}
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_frozen_archive_is_refused(tmp_path: Path, network: Block) -> None:
    torch.jit.freeze(torch.jit.script(network)).save(tmp_path / "net.pt")
    with pytest.raises(InputError, match="frozen TorchScript archive, whose weights have no names"):
        read_checkpoint(tmp_path / "net.pt")


def class_of_a_script(base: type, name: str, **methods: object) -> type:
    """A class in a module that exists only now: saved files name it, readers cannot import it."""
    module = types.ModuleType("training_script")
    cls = type(name, (base,), {"__module__": "training_script", **methods})
    setattr(module, name, cls)
    sys.modules["training_script"] = module
    return cls


@pytest.fixture
def script_module() -> object:
    yield
    sys.modules.pop("training_script", None)


# torch warns that it cannot put the source of the class into a legacy file.
@pytest.mark.filterwarnings("ignore:Couldn't retrieve source code:UserWarning")
@pytest.mark.usefixtures("script_module")
@pytest.mark.parametrize("modern", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("parallel", [False, True], ids=["bare", "DataParallel"])
def test_a_whole_module_without_its_class(
    tmp_path: Path, network: Block, modern: bool, parallel: bool
) -> None:
    network.__class__ = class_of_a_script(Block, "Unet")
    whole = nn.DataParallel(network) if parallel else network
    expected = whole.state_dict()
    buffer = io.BytesIO()
    torch.save(whole, buffer, _use_new_zipfile_serialization=modern)
    del sys.modules["training_script"]
    (tmp_path / "net.pt").write_bytes(buffer.getvalue())
    checkpoint = read_checkpoint(tmp_path / "net.pt")
    assert "module pickled whole" in checkpoint.entry
    assert "training_script.Unet" in checkpoint.entry
    assert_same(checkpoint.tensors, expected)
    state = normalise(checkpoint)
    assert state.prefix == ("module." if parallel else "")
    assert state.tensors.keys() == network.state_dict().keys()


def test_a_class_of_the_main_script(tmp_path: Path, network: Block) -> None:
    cls = type("Net", (Block,), {"__module__": "__main__"})
    sys.modules["__main__"].Net = cls  # type: ignore[attr-defined]
    network.__class__ = cls
    try:
        torch.save(network, tmp_path / "net.pt")
    finally:
        del sys.modules["__main__"].Net  # type: ignore[attr-defined]
    checkpoint = read_checkpoint(tmp_path / "net.pt")
    assert checkpoint.entry == "module pickled whole: __main__.Net"
    assert_same(checkpoint.tensors, network.state_dict())


def test_an_fx_graph_module(tmp_path: Path, network: Block) -> None:
    torch.save(torch.fx.symbolic_trace(network), tmp_path / "net.pt")
    assert_same(read_checkpoint(tmp_path / "net.pt").tensors, network.state_dict())


def test_a_compiled_module(tmp_path: Path, network: Block) -> None:
    torch.save(torch.compile(network), tmp_path / "net.pt")
    state = normalise(read_checkpoint(tmp_path / "net.pt"))
    assert state.prefix == "_orig_mod."
    assert state.tensors.keys() == network.state_dict().keys()


def test_a_pickle_that_torch_did_not_write_is_named(tmp_path: Path, network: Block) -> None:
    (tmp_path / "net.pkl").write_bytes(pickle.dumps({"weights": [1, 2]}, protocol=4))
    with pytest.raises(InputError, match=r"a Python pickle that torch\.save did not write"):
        read_checkpoint(tmp_path / "net.pkl")


def test_numpy_arrays_count_as_weights(tmp_path: Path, network: Block) -> None:
    arrays = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    torch.save({"model": OrderedDict(arrays)}, tmp_path / "net.pt")
    assert_same(read_checkpoint(tmp_path / "net.pt").tensors, network.state_dict())


def test_the_numbers_of_a_trained_checkpoint() -> None:
    path = Path(__file__).parents[4] / "shared/checkpoints/damage_resnet34_trained_fp16.safetensors"
    if not path.is_file():
        pytest.skip("../shared/checkpoints is not here")
    state = normalise(read_checkpoint(path))
    assert len(state.tensors) == 232
    assert state.casts["encoder.conv1.weight"] == "float16"
    assert all(t.dtype in (torch.float32, torch.int64) for t in state.tensors.values())
