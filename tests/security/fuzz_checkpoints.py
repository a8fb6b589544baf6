"""Make hostile checkpoint files from a seed: honest ones mutated, and a grammar's attacks."""

import io
import json
import random
import struct
import zipfile
from functools import cache
from pathlib import Path

import torch
from pickle_text import (
    LEGACY_WEIGHT,
    WEIGHT,
    array,
    dict_of,
    doubled,
    entries,
    get,
    instance,
    legacy_file,
    list_of,
    module,
    name,
    put,
    safetensors_file,
    storage,
    tensor_over,
    text,
    tuple_of,
    value,
    zip_file,
)
from safetensors.torch import save as save_safetensors
from torch import nn

from models.checkpoints.pickles.allowed_names import REBUILD

NAMES = sorted(REBUILD, key=str)
HOSTILE_NAMES = ("os.system", "builtins.eval", "subprocess.Popen", "torch.hub.load", "net.Unet")
SMALL = (0, 1, 2, 3, 7, 255, -1)
INTEGERS = (*SMALL, (1 << 31) - 1, 1 << 32, 1 << 48, (1 << 61) - 1, 1 << 62, 1 << 70)


def make_case(random: random.Random, folder: Path) -> Path:
    """Write one hostile file into `folder` and return its path."""
    kinds = (mutated, mutated, hostile_zip, hostile_zip, hostile_legacy, hostile_safetensors)
    return random.choice((*kinds, odd_zip))(random, folder / "net.pt")


def read_case(path: Path) -> None:
    """Read a file as the product does; InputError where it is refused."""
    from models.load import recognise_checkpoint, require_loadable

    require_loadable(recognise_checkpoint(path))


@cache
def honest() -> tuple[bytes, ...]:
    """Files of all containers, small enough that a mutation meets their structure."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1))
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.rand(2, 3, 8, 8)).sum().backward()
    optimizer.step()
    state = network.state_dict()
    training = {
        "state_dict": {f"model.{key}": tensor for key, tensor in state.items()},
        "optimizer_states": [optimizer.state_dict()],
        "hyper_parameters": {"lr": 1e-3, "classes": ["a", "b"], "place": Path("a/b")},
        "callbacks": {"EMA": {"shadow": state}},
    }
    script = io.BytesIO()
    torch.jit.save(torch.jit.trace(network.eval(), torch.rand(1, 3, 8, 8)), script)
    contents = [save_safetensors(state, {"labels": '["a", "b"]'}), script.getvalue()]
    for saved in (state, training, network):
        for modern in (True, False):
            buffer = io.BytesIO()
            torch.save(saved, buffer, _use_new_zipfile_serialization=modern)
            contents.append(buffer.getvalue())
    return tuple(contents)


def mutated(random: random.Random, path: Path) -> Path:
    """An honest file with some bytes set, taken out, put in, repeated, or moved.

    In a zip file it is at times its pickle that changes, and the checksum is right again.
    """
    whole = random.choice(honest())
    if whole.startswith(b"PK") and random.random() < 0.7:
        return mutated_pickle(random, path, whole)
    path.write_bytes(mutation(random, whole))
    return path


def mutated_pickle(random: random.Random, path: Path, whole: bytes) -> Path:
    with zipfile.ZipFile(io.BytesIO(whole)) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            change = name.endswith("data.pkl")
            content = source.read(name)
            target.writestr(name, mutation(random, content) if change else content)
    return path


def mutation(random: random.Random, whole: bytes) -> bytes:
    content = bytearray(whole)
    for _ in range(random.choice((1, 1, 2, 4, 30))):
        at, length = random.randrange(len(content)), random.choice((1, 1, 4, 8, 64))
        change = random.randrange(6)
        if change == 0:
            content[at] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
        elif change == 1 and len(content) > 2 * length:
            del content[at : at + length]
        elif change == 2:
            content[at:at] = random.randbytes(length)
        elif change == 3:
            content[at:at] = content[at : at + length] * random.choice((1, 2, 1000))
        elif change == 4:
            content[at : at + 8] = struct.pack("<q", random.choice(INTEGERS[:-1]))
        else:
            source = random.randrange(len(content))
            content[at : at + length] = content[source : source + length]
    return bytes(content)


class Grammar:
    """Write random values, most of them of a form that some reader could stumble over."""

    def __init__(self, source: random.Random, weight: bytes = WEIGHT) -> None:
        self.random = source
        self.weight = weight
        self.remembered = 0

    def root(self) -> bytes:
        """The opcodes of a whole file's object."""
        shared = b"".join(self.remember(self.value(3)) for _ in range(self.random.randrange(4)))
        makers = (self.training, self.training, self.network, self.many, lambda: self.value(4))
        return shared + self.random.choice(makers)()

    def remember(self, item: bytes) -> bytes:
        self.remembered += 1
        return item + put(self.remembered) + b"0"

    def value(self, depth: int) -> bytes:
        """Any value with at most `depth` levels, those of a doubled one aside."""
        if depth == 0 or self.random.random() < 0.2:
            return self.leaf()
        kinds = (self.container, self.container, self.call, self.object, self.tensor, self.doubled)
        return self.random.choice(kinds)(depth - 1)

    def leaf(self) -> bytes:
        if self.remembered and self.random.random() < 0.4:
            return get(self.random.randint(1, self.remembered))
        kind = self.random.randrange(9)
        if kind == 0:
            return value(self.random.choice(INTEGERS) * self.random.choice((1, 1, 1, 1 << 500)))
        if kind == 1:
            return text(self.text())
        if kind == 2:
            return value(self.random.choice((0.5, float("inf"), float("nan"), 1e300, True, None)))
        if kind == 3:
            return self.weight
        if kind == 4:
            return self.global_name()
        if kind == 5:
            length = self.random.choice((1, 200, 100_000))
            return b"\x8b" + struct.pack("<I", length) + b"\x7f" * length
        return value(self.random.randrange(300))

    def text(self) -> str:
        words = "weight bias model module encoder decoder state_dict ema _modules state 0 \x1b[31m "
        words += "\u202e \ud800 labels classes mean param_groups conv running_var n_averaged shadow"
        parts = self.random.choices(words.split(), k=self.random.randint(1, 4))
        return ".".join(parts) * self.random.choice((1, 1, 1, 1, 1, 50, 5_000))

    def container(self, depth: int) -> bytes:
        count = self.random.choice((0, 1, 2, 5, 40))
        items = [self.value(depth) for _ in range(count)]
        kind = self.random.randrange(5)
        if kind == 0:
            return tuple_of(*items)
        if kind == 1:
            return list_of(*items)
        if kind == 2:
            return self.random.choice((b"\x8f(%b\x90", b"(%b\x91")) % b"".join(items)
        if kind == 3:
            return dict_of(*((text(self.text()), item) for item in items))
        return dict_of(*((self.value(depth), item) for item in items))

    def global_name(self) -> bytes:
        if self.random.random() < 0.02:
            found = self.random.choice(HOSTILE_NAMES)
        else:
            found = str(self.random.choice(NAMES))
        module, _, attribute = found.rpartition(".")
        return name(module, attribute)

    def call(self, depth: int) -> bytes:
        arguments = (self.value(depth) for _ in range(self.random.choice((0, 1, 1, 2, 5, 7))))
        opcode = self.random.choice((b"R", b"R", b"\x81"))
        made = self.global_name() + tuple_of(*arguments) + opcode
        return made + self.value(depth) + b"b" if self.random.random() < 0.2 else made

    def object(self, depth: int) -> bytes:
        cls = name(self.random.choice(("net", "torch.nn.modules.conv", "__torch__.net")), "Conv2d")
        return instance(cls, self.value(depth))

    def doubled(self, _: int) -> bytes:
        kind = self.random.choice((b"\x86", b"l", b"d"))
        return doubled(self.random.choice((5, 30, 300)), kind, self.leaf())

    def tensor(self, depth: int) -> bytes:
        kind = self.random.randrange(8)
        if kind == 0:
            return array(self.value(depth), b"\1" * self.random.choice((4, 24, 4096)))
        if kind == 1:
            return array(
                value((2, 3)), bytes(24), self.random.choice(("f4", "O8", "V9", "f4" * 99))
            )
        if kind < 4:
            sides = self.random.randint(1, 5)
            numbers = self.random.choice(((0, 1, 2), (0, 0, 1, 3), INTEGERS))
            size, stride = (
                value(tuple(self.random.choice(numbers) for _ in range(sides))) for _ in "ab"
            )
            return tensor_over(self.storage(), size, stride, value(self.random.choice(numbers)))
        if kind == 4:
            return tensor_over(self.storage(), *(self.value(depth) for _ in range(3)))
        return self.weight

    def storage(self) -> bytes:
        numel = 6 if self.random.random() < 0.9 else self.random.choice(INTEGERS)
        kind = self.random.choice(
            ("FloatStorage", "DoubleStorage", "UntypedStorage", "BoolStorage")
        )
        key = text("0") if self.random.random() < 0.9 else self.leaf()
        view = b"N" if self.weight == LEGACY_WEIGHT else b""
        if view and self.random.random() < 0.3:
            view = tuple_of(text("0"), self.leaf(), self.leaf())
        return storage(key, numel, kind, view)

    def training(self) -> bytes:
        """A dict as training scripts save it, with something hostile in it."""
        kept = {
            "state_dict": dict_of(
                (text("conv.weight"), self.weight), (text(self.text()), self.tensor(2))
            ),
            "epoch": self.leaf(),
            "hyper_parameters": self.value(4),
            self.text().replace("\ud800", ""): self.value(3),
        }
        return entries(
            **dict(self.random.sample(list(kept.items()), self.random.randint(1, len(kept))))
        )

    def network(self) -> bytes:
        """Modules pickled whole, of which later ones hold earlier ones."""
        out, kind = b"", self.random.choice(("net", "__torch__.net", "torch.nn.modules.container"))
        first = self.remembered + 1
        for _ in range(self.random.choice((1, 3, 40, 100))):
            inside = range(first, self.remembered + 1)
            picked = [get(self.random.choice(inside)) for _ in range(2)] if inside else []
            children = dict_of(*((text(self.text()), child) for child in picked))
            made = module(name(kind, "Block"), dict_of((text("weight"), self.weight)), children)
            if kind.startswith("__torch__"):
                pairs = ((text(f"m{i}"), child) for i, child in enumerate(picked))
                made = instance(name(kind, "Net"), dict_of((text("w"), self.weight), *pairs))
            out += self.remember(made)
        return out + get(self.remembered)

    def many(self) -> bytes:
        """Thousands of entries that share an object."""
        count = self.random.choice((100, 100, 3_000, 30_000))
        out = self.remember(self.value(3)) + self.remember(self.weight)
        front = self.random.choice(("", "model.", "a.b.c.", "ema_", "x" * 40))
        tail = self.random.choice(("", ".weight", ".encoder.w", ".0.1.2.3.4.5.6.7.8.9"))
        shared = get(self.remembered - self.random.randrange(2))
        item = self.random.choice((shared, list_of(shared), entries(a=shared, b=shared)))
        return out + dict_of(*((text(f"{front}{n}{tail}"), item) for n in range(count)))


def hostile_zip(random: random.Random, path: Path) -> Path:
    """A zip file of torch.save, or a TorchScript archive, around a hostile pickle."""
    records = (
        {"constants.pkl": b"\x80\x02).", "code__net.py": b"x"} if random.random() < 0.2 else {}
    )
    return zip_file(path, Grammar(random).root(), **records)


def hostile_legacy(random: random.Random, path: Path) -> Path:
    """A legacy file around a hostile pickle, with a hostile list of storages at times."""
    grammar = Grammar(random, LEGACY_WEIGHT)
    root = grammar.root()
    keys = random.choice((None, None, grammar.value(3), list_of(*[text("0")] * 50)))
    numbers = struct.pack("<q6f", random.choice((6, 6, *SMALL)), *range(6))
    return legacy_file(path, root, keys, numbers)


def hostile_safetensors(random: random.Random, path: Path) -> Path:
    """A safetensors file whose header contradicts itself or its data."""
    header: dict[str, object] = {
        f"layer{n}.weight": {
            "dtype": random.choice(("F32", "F32", "BF16", "F8_E4M3", "I64", "BOOL", "X")),
            "shape": [random.choice((*SMALL, 2, 3)) for _ in range(random.randrange(4))],
            "data_offsets": [random.choice((0, 0, 4, 24, *INTEGERS)) for _ in range(2)],
        }
        for n in range(random.choice((1, 3, 30)))
    }
    if random.random() < 0.5:
        header = {
            f"{'a.' * random.choice((1, 2000))}layer{n}.weight": {
                "dtype": "F32", "shape": [0] if n else [2, 3], "data_offsets": [24 * (n > 0), 24]
            }
            for n in range(random.choice((1, 300, 30_000)))
        }  # fmt: skip
    if random.random() < 0.5:
        nested = random.choice((10, 50, 5_000, 100_000))
        header["__metadata__"] = {"labels": "[" * nested + "]" * nested, "\x1b": "9" * nested}
    written = json.dumps(header).encode()
    return safetensors_file(path, written, bytes(random.choice((0, 24, 24, 4096))))


def odd_zip(random: random.Random, path: Path) -> Path:
    """A zip file with an odd directory: overlaps, bombs, absurd sizes and offsets."""
    zip_file(path, entries(w=WEIGHT))
    if random.random() < 0.3:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("net/data.pkl", b"\x80\x02" + b"N0" * random.choice((9, 10_000_000)))
            archive.writestr("net/data/0", bytes(random.choice((24, 300_000_000))))
    content = bytearray(path.read_bytes())
    directory = content.index(b"PK\x01\x02")
    for _ in range(random.randint(1, 3)):
        field = random.choice((6, 8, 10, 16, 20, 24, 28, 30, 32, 34, 42))
        content[directory + field : directory + field + 4] = random.choice(
            (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\1\0\0\0", random.randbytes(4))
        )
    if random.random() < 0.3:
        entry = bytes(content[directory : content.index(b"PK\x05\x06")])
        content[directory:directory] = entry * random.choice((1, 400, 50_000))
    path.write_bytes(content)
    return path
