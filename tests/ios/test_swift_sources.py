"""Every Swift file parses, and what the app uses of DamageKit is there and public."""

import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from swift_source import calls, declarations, members, parse, problems, type_names, walk

ROOT = Path(__file__).resolve().parents[2] / "ios_demo"
KIT = sorted((ROOT / "DamageKit" / "Sources").rglob("*.swift"))
KIT_TESTS = sorted((ROOT / "DamageKit" / "Tests").rglob("*.swift"))
APP = sorted((ROOT / "DamageDemo").rglob("*.swift"))
STUBS = sorted((Path(__file__).parent / "apple_stubs").glob("*.swift"))
MANIFESTS = sorted((ROOT / "DamageKit").glob("Package*.swift"))
# Types of the standard library and of Foundation; Apple's other ones are in apple_stubs.
STANDARD = frozenset(
    "Any Array async AsyncStream Bool Bundle CancellationError CaseIterable CGFloat CGPoint CGRect "
    "CGSize CheckedContinuation ClosedRange Codable CodingKey Continuation ContinuousClock "
    "Data Date Decodable discardableResult DispatchQueue Double Equatable Error FileManager "
    "FloatingPointFormatStyle Hashable Identifiable Instant Int MainActor Never NSMutableData "
    "NSObject NSObjectProtocol NSRange Origin Percent Result Self Sendable Set String Task "
    "unchecked UnsafeMutableRawBufferPointer UnsafeRawBufferPointer URL URLResourceValues UTF8 "
    "UUID Void".split()
)

kit = [declaration for path in KIT for declaration in declarations(path)]
kit_types = {d.name for d in kit if d.name[:1].isupper() and not d.is_extension}
public_types = {d.name for d in kit if d.name in kit_types and d.is_public}


def test_there_is_something_to_check():
    assert len(KIT) > 10 and len(APP) > 20 and len(KIT_TESTS) > 3 and len(MANIFESTS) == 1
    assert {"ModelContract", "Placement", "ClassMap", "DeviceReport"} <= public_types


@pytest.mark.parametrize("path", KIT + KIT_TESTS + APP + STUBS + MANIFESTS, ids=lambda p: p.name)
def test_every_file_parses(path):
    assert problems(path) == []


def test_a_broken_file_does_not_parse(tmp_path):
    broken = tmp_path / "Broken.swift"
    broken.write_text("struct A { func b( { }")
    assert problems(broken)


@pytest.mark.parametrize("path", KIT, ids=lambda p: p.name)
def test_the_package_imports_foundation_only(path):
    imported = set(re.findall(r"^\s*(?:@\w+\s+)*import\s+(\w+)", path.read_text(), re.MULTILINE))
    assert imported <= {"Foundation"}
    assert "#if" not in path.read_text()


def forced(path: Path) -> list[str]:
    """Exclamation marks other than that of a negation."""
    found = []
    for node in walk(parse(path)):
        parent = node.parent.type if node.parent is not None else ""
        is_mark = node.type in ("bang", "!") and parent not in ("prefix_expression", "bang")
        if is_mark or node.text in (b"as!", b"try!"):
            found.append(f"{path.name}:{node.start_point.row + 1}")
    return found


@pytest.mark.parametrize("path", KIT + APP, ids=lambda p: p.name)
def test_nothing_is_forced(path):
    """No force unwrap, forced cast, forced try or implicitly unwrapped optional."""
    assert forced(path) == []
    assert "fatalError" not in path.read_text()
    assert "print(" not in path.read_text()


@pytest.mark.parametrize("use", ["a!.b()", "a as! B", "try! a()", "var a: B!", "a![0]"])
def test_force_is_found(use, tmp_path):
    (tmp_path / "Use.swift").write_text(f"{use}\nlet b = !c\n")
    assert len(set(forced(tmp_path / "Use.swift"))) == 1


def test_every_type_that_the_app_names_exists():
    declared = {d.name for path in APP for d in declarations(path)}
    apple = {d.name for path in STUBS for d in declarations(path)}
    for path in APP:
        generics = set(re.findall(r"func \w+<(\w+)>", path.read_text()))
        unknown = type_names(path) - declared - apple - public_types - STANDARD - generics
        assert not unknown, f"{path.name} names {sorted(unknown)}"


def unreachable(path: Path) -> list[str]:
    """Uses in `path` of what DamageKit has not, or does not show."""
    app = [declaration for file in APP for declaration in declarations(file)]
    own = {d.name for d in app}
    found = []
    visible, hidden = defaultdict(set), set()
    for declaration in kit:
        if declaration.is_public and declaration.owner:
            visible[declaration.owner].add(declaration.name)
        elif declaration.owner:
            hidden.add(declaration.name)
    everywhere = set().union(*visible.values())
    apple = {d.name for file in STUBS for d in declarations(file)}
    for target, name, where in members(path):
        if target in kit_types and name not in visible[target] | own | {"init", "allCases", "self"}:
            found.append(f"{where}: {target}.{name}")
        elif name in hidden - everywhere - own - apple:
            found.append(f"{where}: .{name} is not public")
    for call in calls(path):
        if call.name in kit_types and call.target is None and call.name not in own:
            candidates = [d for d in kit if d.owner == call.name and d.name == "init"]
            labels = tuple(label for label in call.labels if label != "{}")
            if labels == ("rawValue",):
                continue  # every enumeration with raw values has it
            own_inits = [d for d in app if d.owner == call.name and d.name == "init"]
            usable = [d for d in candidates if d.is_public] + own_inits
            if not any(d.accepts(labels) for d in usable):
                found.append(f"{call.where}: {call.name}({':'.join(labels)})")
        elif call.target in kit_types:
            candidates = [d for d in kit if d.owner == call.target and d.name == call.name]
            signatures = [d for d in candidates if d.is_public and d.labels is not None]
            if signatures and not any(d.accepts(call.labels) for d in signatures):
                found.append(f"{call.where}: {call.target}.{call.name}({':'.join(call.labels)})")
    return found


@pytest.mark.parametrize("path", APP, ids=lambda p: p.name)
def test_what_is_used_of_the_package_is_public(path):
    assert unreachable(path) == []


def test_what_is_public_is_used_by_the_app():
    """What only the package's tests use is internal: they import it as testable."""
    # Cases cannot be hidden one by one.
    cases = {case for path in KIT for case in re.findall(r"\bcase (\w+)", path.read_text())}
    named = cases | {name for path in APP for _, name, _ in members(path)}
    # An extension uses its type's members without naming the type.
    extended = [p for p in APP if any(d.is_extension for d in declarations(p))]
    named |= {word for path in extended for word in re.findall(r"\w+", path.read_text())}
    called = {(call.name, call.labels) for path in APP for call in calls(path)}

    def is_used(declaration):
        if declaration.labels is None:
            return declaration.name in named
        name = declaration.owner if declaration.name == "init" else declaration.name
        return any(name == other and accepts(declaration, labels) for other, labels in called)

    members_of_types = [
        d for d in kit if d.is_public and d.owner and d.name[0].islower() and d.name != "hash"
    ]
    assert [f"{d.owner}.{d.name}" for d in members_of_types if not is_used(d)] == []


def accepts(declaration, labels):
    """Whether a call fits; closures behind its parentheses stand for the last parameters."""
    inside = tuple(label for label in labels if label != "{}")
    closures = len(labels) - len(inside)
    parameters = declaration.labels[: len(declaration.labels) - closures]
    return replace(declaration, labels=parameters).accepts(inside)


@pytest.mark.parametrize(
    "use",
    [
        "let a = Resize.bicubic(b)",
        "let a = Placement(of: b, into: c, fit: .stretch)",
        "let a = ClassMap(size: b, unchecked: c)",
        "let a = ModelContract.absent",
        "let a = Resize.blank(b)",
        "tensor.readIntegers(channel: 0, y: 0, into: &row)",
        "let a = ClassMap.logit(of: 0.5)",
    ],
)
def test_a_use_of_what_is_not_there_is_found(use, tmp_path):
    path = tmp_path / "Use.swift"
    path.write_text(f"import DamageKit\n{use}\n")
    assert unreachable(path)
