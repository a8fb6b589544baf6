"""make passes on what its command line gives, as text, and refuses what a target does not take."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from small_networks import ROOT

from segport.__main__ import COMMANDS, group

TARGETS = [name for name in COMMANDS if name != "device-report"]


def make(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Have make say what it would run; a test must never set the environment up again."""
    known = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return subprocess.run(
        ["make", "--no-print-directory", "-n", "-o", ".venv/.ready", *words],
        cwd=ROOT,
        env={**known, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def passed_on(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The words that the shell would give to `segport`."""
    assert done.returncode == 0, done.stderr
    words = shlex.split(done.stdout.replace("\\\n", " "))
    return words[words.index("segport") + 1 :]


@pytest.mark.parametrize(
    "name",
    [
        '[DAMAGE] it\'s a "file".pt',
        "cost$5.pt",
        "$(shell touch PWN)x.pt",
        "${HOME} $HOME $$.pt",
        "`touch PWN`;touch PWN|&<>.pt",
        "a#b\\ c\\",
        "%.pt,(x=1:2)",
        "-x.pt",
        "é€😀.pt",
    ],
)
def test_a_name_arrives_as_it_is(name: str) -> None:
    assert passed_on(make("inspect", f"CKPT={name}", f"LABELS={name}")) == [
        *("inspect", "--labels", name),
        *("--", name),
    ]
    assert passed_on(make("predict", f"PHOTOS={name}", f"BUNDLE={name}"))[-2:] == [name, name]
    assert not (ROOT / "PWN").exists()


def test_the_shell_sees_what_shlex_sees(tmp_path: Path) -> None:
    name = f"{tmp_path}/$(touch {tmp_path}/PWN) `touch {tmp_path}/PWN` it's"
    told = make("export", f"CKPT={name}").stdout
    script = f"printf '%s\\n' {told.partition('-m segport ')[2]}"
    words = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert words.stdout.splitlines() == ["export", "--", name]
    assert list(tmp_path.iterdir()) == []


def test_a_line_break_is_refused() -> None:
    done = make("inspect", "CKPT=a\nb.pt")
    assert done.returncode == 2
    assert "CKPT= holds a line break, which make cannot pass on" in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("export", "CKPT=x", "FORMAT=onnx"),
            "make export takes no FORMAT=: did you mean FORMATS=",
        ),
        (("export", "CKPT=x", "LABEL=a,b"), "make export takes no LABEL=: did you mean LABELS="),
        (("export", "CKPT=x", "labels=a,b"), "takes no labels=: did you mean LABELS="),
        (
            ("predict", "PHOTOS=x", "FORMAT=onnx"),
            "make predict takes no FORMAT=: did you mean FORM",
        ),
        (
            ("predict", "PHOTOS=x", "SIZE=64"),
            "make predict takes no SIZE=: it takes BUNDLE",
        ),
        (("check", "ARGS=x"), "make check takes no ARGS=: it takes PYTHON"),
        (("clean", "OUT=/"), "make clean takes no OUT=: it takes PYTHON"),
    ],
)
def test_what_a_target_does_not_take_is_refused(words: tuple[str, ...], told: str) -> None:
    done = make(*words)
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr
    assert done.stdout == ""


def test_two_targets_take_what_either_takes() -> None:
    assert make("demo", "test", "SIZE=64", "ARGS=-x").returncode == 0


def test_the_environment_does_not_leak_in() -> None:
    noise = {"SIZE": "64", "TARGET": "production", "OUT": "/", "LABELS": "a", "BUNDLE": "b"}
    assert passed_on(make("export", "CKPT=x", **noise)) == ["export", "--", "x"]
    assert passed_on(make("validate", **noise)) == ["validate", "--", "build/breakage"]
    done = make("export", CKPT="x")
    assert (done.returncode, "CKPT= is missing" in done.stderr) == (2, True)


def test_switches_are_on_or_off() -> None:
    assert "--drift" in passed_on(make("validate", "DRIFT=1"))
    assert not {"--drift", "--ranges"} & set(passed_on(make("validate", "DRIFT=0", "RANGES=")))


@pytest.mark.parametrize("target", TARGETS)
def test_every_variable_of_a_target_is_an_option_of_its_command(target: str) -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    lists = dict(re.findall(r"^([\w.-]+) := ([A-Z$()\w ]+)$", text, re.MULTILINE))
    taken = lists[f"{target}.takes"]
    while found := re.search(r"\$\((\w+)\)", taken):
        taken = taken.replace(found[0], lists[found[1]])
    arguments = {"CKPT", "BUNDLE", "PHOTOS"}
    given = [name for name in taken.split() if name not in arguments]
    words = passed_on(make(target, *(f"{name}=1" for name in taken.split())))
    context = group.make_context("segport", ["--help"], resilient_parsing=True)
    command = group.get_command(context, target)
    there = {option for each in command.params for option in each.opts}
    used = {word for word in words if word.startswith("--") and word != "--"}
    assert used <= there
    assert len(used) >= len(given)
