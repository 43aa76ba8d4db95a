"""YAML as a job file needs it: YAML 1.2's plain scalars, no tags, no duplicate keys, no expansion bombs.

PyYAML follows YAML 1.1, where ``1e-4`` is text, ``no`` is false and ``1:30`` is ninety. Its parser is used
here; what its nodes mean is decided here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml

MAX_NODES = 100_000
MAX_DEPTH = 40


def _number(text: str) -> float:
    """A whole one as an integer, as JSON Schema has it: ``steps: 1e5``, ``batch_size: 64.0``."""
    value = float(text)
    return int(value) if abs(value) < 2**53 and value == int(value) else value


# YAML 1.2's core schema, without octal and hexadecimal. An integer too long for int() is read as a float.
_SCALARS: tuple[tuple[re.Pattern[str], Callable[[str], Any]], ...] = (
    (re.compile(r"~|null|Null|NULL|"), lambda _: None),
    (re.compile(r"true|True|TRUE|false|False|FALSE"), lambda text: text.lower() == "true"),
    (re.compile(r"[-+]?[0-9]{1,30}"), int),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), _number),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), lambda text: float(text.replace(".", ""))),
)


class YamlError(ValueError):
    """The text is not YAML that gandist reads; one line, with the line's number where there is one."""


class _Composer(yaml.SafeLoader):
    """Refuses tags before anything is made of them, and gives up early on a file that is no job."""

    nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise YamlError(f"more than {MAX_NODES} values; is this a job file?")
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "tag", None) is not None:
            raise YamlError(
                f"line {event.start_mark.line + 1}: the tag {event.tag} is not allowed; tags never are"
            )
        return super().compose_node(parent, index)


class _Dumper(yaml.SafeDumper):
    """Quotes text that ``parse`` would take for a number, too."""


_FIRST = list("-+.0123456789")
for _tag, (_pattern, _) in zip(("int", "float"), _SCALARS[2:4], strict=True):
    _Dumper.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern.pattern})\Z"), _FIRST
    )


def dump(values: Any) -> str:
    """Plain values as text that ``parse`` reads back as they were."""
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False)


def parse(text: str) -> Any:
    """The mappings, lists, texts, numbers, booleans and nulls that ``text`` stands for; None if empty.

    Raises:
        YamlError: it is not YAML, or YAML with tags, duplicate or non-text keys, too deep or too large.
    """
    try:
        node = _Composer(text).get_single_node()
        return None if node is None else _Builder().build(node)
    except yaml.MarkedYAMLError as error:
        words = ", ".join(part for part in (error.context, error.problem) if part)
        mark = error.problem_mark or error.context_mark
        raise YamlError(f"line {mark.line + 1}: {words}" if mark else words) from None
    except yaml.YAMLError as error:  # a character that YAML does not allow
        raise YamlError(f"not a text file: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise YamlError(f"nested more than {MAX_DEPTH} levels deep") from None


class _Builder:
    """Plain values of nodes. An alias counts as often as it is used: a small file cannot grow large."""

    def __init__(self) -> None:
        self._nodes = 0

    def build(self, node: yaml.Node, depth: int = 0) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise YamlError(f"more than {MAX_NODES} values, aliases counted; is an alias used too often?")
        if depth > MAX_DEPTH:
            raise YamlError(f"line {_line(node)}: nested more than {MAX_DEPTH} levels deep")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, depth + 1) for item in node.value]
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = _scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else key_node.value
            if not isinstance(key, str):
                given = key_node.value if isinstance(key_node, yaml.ScalarNode) else "a list or mapping"
                raise YamlError(f"line {_line(key_node)}: the key {given or 'null'} is not text; quote it")
            if key in values:
                raise YamlError(f'line {_line(key_node)}: "{key}" stands twice, first on line {lines[key]}')
            lines[key] = _line(key_node)
            values[key] = self.build(value_node, depth + 1)
        return values


def _scalar(node: yaml.Node) -> Any:
    if node.style is None:  # type: ignore[attr-defined]  # plain: neither quoted nor a block
        for pattern, convert in _SCALARS:
            if pattern.fullmatch(node.value):
                return convert(node.value)
    return node.value


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
