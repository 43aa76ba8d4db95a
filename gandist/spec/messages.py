"""pydantic's errors as one line each: ``dotted.path: GIVEN is not ...; give WHAT IS ALLOWED``.

What is allowed is read from the JSON schema of the section, so that no constraint is written twice.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails  # pydantic's own name for one entry of errors()

from gandist.printable import printable
from gandist.spec.overrides import nearest
from gandist.spec.schedules import HALF_LIFE, NUMBER, SCHEDULE, HalfLife, Schedule
from gandist.spec.variants import Use, in_use

Schema = Mapping[str, Any]

_SECTIONS: Mapping[str | int, str] = {SCHEDULE: Schedule.__name__, HALF_LIFE: HalfLife.__name__}
"""The titles of what may stand in the place of a number."""


@dataclass(frozen=True)
class Problem:
    """One mistake: where, and what is wrong."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


def explain(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Each mistake that validating into ``model`` found, in the order of the fields."""
    schema = _schema(model, in_use())
    found = error.errors(include_url=False)
    # Of a list pydantic counts the items that are right: with a wrong one it would be called too short.
    wrong = {details["loc"][:-1] for details in found}
    told = (each for each in found if each["type"] != "too_short" or each["loc"] not in wrong)
    return list(dict.fromkeys(_problem(details, schema) for details in told))


@functools.lru_cache(maxsize=16)
def _schema(model: type[BaseModel], _: Use) -> Schema:
    return model.model_json_schema()


def _problem(details: ErrorDetails, root: Schema) -> Problem:
    path: list[str] = []
    node = parent = root
    for part in details["loc"]:
        if part == "[key]":  # a mapping's key: its text stands in the path already
            path.pop()
        elif part in _variants(node, root):
            node = _resolve(_variants(node, root)[str(part)], root)
        elif part == NUMBER and "anyOf" in node:
            pass  # what is allowed instead of this number is a schedule, too
        elif part in _SECTIONS and "anyOf" in node:
            node = next(option for option in node["anyOf"] if option.get("title") == _SECTIONS[part])
        else:
            path.append(str(part))
            node, parent = _child(node, part, root), node
    kind = details["type"]
    if kind.startswith("union_tag"):
        path.append("name")
    phrase = _PHRASES.get(kind, _not("allowed"))
    names = list(_variants(node, root)) or _keys(parent, root)
    text = phrase(_Error(details, _show(details["input"]), node, names, details.get("ctx", {})))
    if not details["loc"] and kind == "value_error":  # a validator of the whole names the place itself
        place, _, text = text.partition(": ")
        path.append(place)
    return Problem(".".join(path), text)


@dataclass(frozen=True)
class _Error:
    details: ErrorDetails
    given: str
    node: Schema
    names: list[str]
    """The variants of a section, or the keys that are allowed where this one stands."""
    ctx: Mapping[str, Any]


def _not(what: str) -> Callable[[_Error], str]:
    return lambda e: f"{e.given} is not {what}; give {_allowed(e.node)}"


def _out_of_range(e: _Error) -> str:
    return f"{e.given} is out of range; give {_allowed(e.node)}"


def _unknown_key(e: _Error) -> str:
    return f"unknown key; allowed here: {', '.join(e.names)}{nearest(str(e.details['loc'][-1]), e.names)}"


def _unknown_variant(e: _Error) -> str:
    given = e.details["input"]["name"]  # the context has it as text, whatever it was
    own = nearest(str(given), e.names) or " (one of your own? --plugin FILE)"
    return f"{_show(given)} is unknown; choose {_or(e.names)}{own}"


def _unknown_value(e: _Error) -> str:
    values = _values(e.node)
    return f"{e.given} is unknown; choose {_or(values)}{nearest(str(e.details['input']), values)}"


_PHRASES: dict[str, Callable[[_Error], str]] = {
    "missing": lambda e: f"is missing; give {_allowed(e.node)}",
    "extra_forbidden": _unknown_key,
    "union_tag_not_found": lambda e: f"is missing; choose {_or(e.names)}",
    "union_tag_invalid": _unknown_variant,
    "literal_error": _unknown_value,
    "int_type": _not("a whole number"),
    "int_from_float": _not("a whole number"),
    "float_type": _not("a number"),
    "finite_number": _not("finite"),
    "bool_type": _not("true or false"),
    "string_type": _not("text"),
    "list_type": lambda e: f"{e.given} is not a list; give a list of values",
    "tuple_type": lambda e: f"{e.given} is not a list; give {_allowed(e.node)}",
    "dict_type": lambda e: (
        f"{e.given} is not a mapping; give {e.node.get('description', 'KEY: VALUE pairs')}"
    ),
    "model_type": _not("a section"),
    "model_attributes_type": _not("a section"),
    "greater_than": _out_of_range,
    "greater_than_equal": _out_of_range,
    "less_than": _out_of_range,
    "less_than_equal": _out_of_range,
    "too_short": lambda e: f"holds {e.ctx['actual_length']} values; give at least {e.ctx['min_length']}",
    "too_long": lambda e: f"holds {e.ctx['actual_length']} values; give at most {e.ctx['max_length']}",
    "string_too_short": lambda e: f"{e.given} is too short; give at least {e.ctx['min_length']} characters",
    "string_too_long": lambda e: f"{e.given} is too long; give at most {e.ctx['max_length']} characters",
    "value_error": lambda e: str(e.ctx["error"]),
}


def _allowed(node: Schema) -> str:
    """In words what a schema accepts."""
    if names := list(node.get("discriminator", {}).get("mapping", ())):
        return f"a section with a name: {_or(names)}"
    if options := node.get("anyOf"):
        return " or ".join(_allowed(option) for option in options)
    if values := _values(node):
        return _or(values)
    kind = node.get("type", "")
    if isinstance(kind, list):  # forms that a validator makes one: its author has described them
        return str(node["description"])
    keys = ", ".join(node.get("properties", {}))
    words = {
        "integer": f"a whole number{_range(node)}",
        "number": f"a number{_range(node)}",
        "string": str(node["description"]) if "pattern" in node else "text",
        "boolean": "true or false",
        "null": "null",
        "array": "a list",
        "object": f"a section of {keys}" if keys else "a mapping",
    }
    return words.get(kind, "a value")


def _range(node: Schema) -> str:
    low, high = node.get("minimum"), node.get("maximum")
    if low is not None and high is not None:
        return f" from {low} to {high}"
    bounds = (("exclusiveMinimum", ">"), ("minimum", ">="), ("exclusiveMaximum", "<"), ("maximum", "<="))
    words = " and ".join(f"{sign} {node[key]:g}" for key, sign in bounds if key in node)
    return f" {words}" if words else ""


def _values(node: Schema) -> list[str]:
    """As they stand in a job file."""
    ways = [node, *node.get("anyOf", ())]
    values = [value for way in ways for value in ([way["const"]] if "const" in way else way.get("enum", ()))]
    return [value if isinstance(value, str) else json.dumps(value) for value in values]


def _child(node: Schema, part: str | int, root: Schema) -> Schema:
    """The schema of a key or an item; empty where it has none, as for an unknown key."""
    for option in node.get("anyOf", [node]):
        option = _resolve(option, root)
        if isinstance(part, int):
            fixed = option.get("prefixItems", [])
            found = fixed[part] if part < len(fixed) else option.get("items")
        else:
            found = option.get("properties", {}).get(part) or option.get("additionalProperties")
        found = found or next(iter(option.get("patternProperties", {}).values()), None)
        if isinstance(found, Mapping):
            return _resolve(found, root)
    return {}


def _keys(node: Schema, root: Schema) -> list[str]:
    """A section's keys."""
    return [
        key for option in node.get("anyOf", [node]) for key in _resolve(option, root).get("properties", {})
    ]


def _variants(node: Schema, root: Schema) -> Mapping[str, Schema]:
    """A section's choice of names, each with its schema."""
    for option in node.get("anyOf", [node]):
        if mapping := _resolve(option, root).get("discriminator", {}).get("mapping"):
            return {name: {"$ref": reference} for name, reference in mapping.items()}
    return {}


def _resolve(node: Schema, root: Schema) -> Schema:
    while "$ref" in node:
        node = root["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    if "anyOf" in node:
        options = [_resolve(option, root) for option in node["anyOf"]]
        flat = [inner for option in options for inner in option.get("anyOf", [option])]
        return {**node, "anyOf": flat}
    return node


def _or(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _show(value: Any) -> str:
    """A value as it would stand in a job file, shortened."""
    if isinstance(value, Mapping | list | tuple):
        kind = "mapping" if isinstance(value, Mapping) else "list"
        return f"a {kind}" if value else f"an empty {kind}"
    if isinstance(value, float) and not math.isfinite(value):
        return f".{value}".replace(".-", "-.")
    return printable(json.dumps(value, ensure_ascii=False, default=str), 60)
