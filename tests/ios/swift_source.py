"""Reads Swift sources with tree-sitter: what they declare, what they use, what they say."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tree_sitter_swift
from tree_sitter import Language, Node, Parser

SWIFT = Parser(Language(tree_sitter_swift.language()))
TYPES = ("class_declaration", "protocol_declaration", "typealias_declaration")
# What takes a text for the user as its first argument, when that is a literal.
LOCALIZED = frozenset(
    "Text Label Button Toggle Picker Menu ProgressView LabeledContent Section "
    "Link confirmationDialog navigationTitle accessibilityLabel accessibilityValue "
    "accessibilityHint".split()
)


@dataclass(frozen=True)
class Declaration:
    """A type, or a member of one; `labels` are an init's or function's, `None` for others.

    A label that may be left out has a default value and ends in `=`.
    """

    name: str
    owner: str | None
    is_public: bool
    labels: tuple[str, ...] | None = None
    is_extension: bool = False

    def accepts(self, labels: tuple[str, ...]) -> bool:
        wanted = list(labels)
        for label in self.labels or ():
            if wanted and wanted[0] == label.rstrip("="):
                wanted.pop(0)
            elif not label.endswith("="):
                return False
        return not wanted


@dataclass(frozen=True)
class Call:
    """`target.name(labels)`; `target` is the identifier before the point, if there is one."""

    target: str | None
    name: str
    labels: tuple[str, ...]
    where: str


def parse(path: Path) -> Node:
    return SWIFT.parse(path.read_bytes()).root_node


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from walk(child)


def problems(path: Path) -> list[str]:
    return [
        f"{path.name}:{node.start_point.row + 1}: {node.type} {_text(node)[:60]!r}"
        for node in walk(parse(path))
        if node.type == "ERROR" or node.is_missing
    ]


def declarations(path: Path) -> list[Declaration]:
    return list(_declared(parse(path), None, False))


def _declared(node: Node, owner: str | None, owner_is_public: bool) -> Iterator[Declaration]:
    for child in node.children:
        if child.type in TYPES:
            name = _text(child.child_by_field_name("name"))
            is_extension = any(part.type == "extension" for part in child.children)
            public = _is_public(child)
            yield Declaration(name, owner, public, is_extension=is_extension)
            body = child.child_by_field_name("body")
            if body is not None:
                in_public = public and body.type == "enum_class_body"
                yield from _declared(body, name, in_public)
        elif child.type == "enum_entry":
            for name_node in child.children_by_field_name("name"):
                yield Declaration(_text(name_node), owner, owner_is_public)
        elif child.type in ("function_declaration", "init_declaration"):
            name = "init"
            if child.type == "function_declaration":
                name = _text(child.child_by_field_name("name"))
            yield Declaration(name, owner, _is_public(child), tuple(_labels(child)))
        elif child.type == "property_declaration":
            for pattern in child.children_by_field_name("name"):
                yield Declaration(_text(pattern), owner, _is_public(child))


def _labels(function: Node) -> Iterator[str]:
    children = function.children
    for index, child in enumerate(children):
        if child.type == "parameter":
            external = child.child_by_field_name("external_name")
            name = external if external is not None else child.child_by_field_name("name")
            label = _text(name)
            has_default = index + 1 < len(children) and children[index + 1].type == "="
            yield ("" if label == "_" else label) + ("=" if has_default else "")


def calls(path: Path) -> list[Call]:
    found = []
    for node in walk(parse(path)):
        if node.type != "call_expression" or any(
            each.type == "value_argument" and each.child_by_field_name("reference_specifier")
            for suffix in node.children[1:]
            for part in suffix.children
            for each in part.children
        ):
            continue  # `name(label:)` without values only refers to the function
        callee = node.children[0]
        if callee.type == "navigation_expression":
            target, name = callee.children[0], _last(callee)
            prefix = _text(target) if target.type == "simple_identifier" else None
        elif callee.type == "simple_identifier":
            prefix, name = None, _text(callee)
        else:
            continue
        where = f"{path.name}:{node.start_point.row + 1}"
        found.append(Call(prefix, name, tuple(_passed(node)), where))
    return found


def _passed(call: Node) -> Iterator[str]:
    for suffix in call.children:
        if suffix.type == "call_suffix":
            for part in suffix.children:
                if part.type == "value_arguments":
                    for argument in part.children:
                        if argument.type == "value_argument":
                            name = argument.child_by_field_name("name")
                            yield "" if name is None else _text(name)
                elif part.type == "lambda_literal":
                    yield "{}"


def members(path: Path) -> list[tuple[str | None, str, str]]:
    """Every `target.member`: target where it is a plain identifier, member, place."""
    found = []
    for node in walk(parse(path)):
        if node.type == "navigation_expression":
            target = node.children[0]
            prefix = _text(target) if target.type == "simple_identifier" else None
            found.append((prefix, _last(node), f"{path.name}:{node.start_point.row + 1}"))
    return found


def type_names(path: Path) -> set[str]:
    return {_text(node) for node in walk(parse(path)) if node.type == "type_identifier"}


def localized_keys(path: Path) -> set[str]:
    """Keys of the string catalogue, with `%@` where a string is interpolated."""
    keys = set()
    for node in walk(parse(path)):
        if node.type != "call_expression":
            continue
        callee = node.children[0]
        name = _last(callee) if callee.type == "navigation_expression" else _text(callee)
        arguments = [
            argument
            for suffix in node.children
            if suffix.type == "call_suffix"
            for part in suffix.children
            if part.type == "value_arguments"
            for argument in part.children
            if argument.type == "value_argument"
        ]
        if not arguments:
            continue
        label = arguments[0].child_by_field_name("name")
        value = arguments[0].child_by_field_name("value")
        if value is None or value.type != "line_string_literal":
            continue
        if (name in LOCALIZED and label is None) or (
            name == "String" and label is not None and _text(label) == "localized"
        ):
            keys.add(_key(value))
    return keys


def _key(literal: Node) -> str:
    parts = []
    for child in literal.children:
        if child.type == "line_str_text":
            parts.append(_text(child))
        elif child.type == "interpolated_expression":
            parts.append("%@")
    return "".join(parts)


def _last(navigation: Node) -> str:
    suffix = navigation.child_by_field_name("suffix")
    return _text(suffix).lstrip("?.") if suffix is not None else ""


def _is_public(node: Node) -> bool:
    modifiers = [child for child in node.children if child.type == "modifiers"]
    return any(_text(part) == "public" for m in modifiers for part in m.children)


def _text(node: Node | None) -> str:
    return "" if node is None or node.text is None else node.text.decode()
