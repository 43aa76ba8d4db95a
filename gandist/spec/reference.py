"""The fields of a job file, in words: a page of Markdown, from the JSON schema and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
Fields = Mapping[str, Schema]

HEAD = """# A job file, field by field

Made by `gandist schema --markdown`; for an editor, `gandist schema`. A field without a default has to be
given. A *rate* is a number or a schedule: `{cosine: [2.0e-4, 5.0e-5], kimg: 2000}`, or `linear`, or `steps`
in place of `kimg`. `--set training.epochs=5` sets a field by its path, from the command line.
"""
RATE = "schedules__Schedule"
BOUNDS = {
    "minimum": "at least {:g}",
    "exclusiveMinimum": "above {:g}",
    "maximum": "at most {:g}",
    "exclusiveMaximum": "below {:g}",
}
KINDS = {
    "array": "list",
    "boolean": "true or false",
    "integer": "integer",
    "number": "number",
    "object": "mapping",
    "string": "text",
}
HUGE = 10**9
"""A bound that nobody meets."""


def reference(schema: Schema) -> str:
    """The page for the JSON schema of a job file."""
    return HEAD + "\n" + "\n".join(_Page(schema["$defs"]).lines(schema))


class _Page:
    def __init__(self, definitions: Fields) -> None:
        self.definitions = definitions

    def lines(self, job: Schema) -> Iterator[str]:
        fields: Fields = job["properties"]
        sections = {name: found for name, field in fields.items() if (found := self._sections(field))}
        yield from self._table({**job, "properties": {k: v for k, v in fields.items() if k not in sections}})
        for name, found in sections.items():
            yield f"## `{name}`{'' if name in job['required'] else ', optional'}\n"
            shared = _shared(list(found.values()))
            if shared:
                yield "Whichever it is:\n"
                yield from self._table({"properties": shared})
            for variant, section in found.items():
                if variant:
                    yield f"### `{name}: {{name: {variant}}}`\n"
                own = {k: v for k, v in section["properties"].items() if k not in shared}
                yield from self._section(name, {**section, "properties": own})

    def _section(self, path: str, section: Schema) -> Iterator[str]:
        """What it is, its fields, and the sections within."""
        yield " ".join(section["description"].partition("\n\n")[0].split()).replace("``", "`") + "\n"
        yield from self._table(section)
        for name, field in section["properties"].items():
            for variant, inner in self._sections(field).items():
                place = f"{path}.{name}"
                yield f"#### `{place}: {{name: {variant}}}`\n" if variant else f"#### `{place}`\n"
                yield from self._section(place, inner)

    def _table(self, section: Schema) -> Iterator[str]:
        fields = {name: field for name, field in section["properties"].items() if "const" not in field}
        if not fields:
            return
        yield "| field | value | default | what |\n|---|---|---|---|"
        for name, field in fields.items():
            default = "" if name in section.get("required", ()) else self._default(field)
            cells = (f"`{name}`", self._value(field), default, field.get("description", ""))
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        yield ""

    def _sections(self, field: Schema) -> dict[str, Schema]:
        """The sections that may stand there, by name; under "" where there is one only. A rate is none."""
        if ref := field.get("$ref"):
            return {} if ref.endswith(RATE) else {"": self._at(ref)}
        if choice := field.get("discriminator"):
            return {name: self._at(ref) for name, ref in choice["mapping"].items()}
        return {name: found for way in field.get("anyOf", ()) for name, found in self._sections(way).items()}

    def _at(self, ref: str) -> Schema:
        return self.definitions[ref.rpartition("/")[2]]

    def _default(self, field: Schema) -> str:
        default = field.get("default")
        if default is None:
            return "none"
        if any(default == _defaults(section) for section in self._sections(field).values()):
            return "as below"
        return f"`{json.dumps(default)}`"

    def _value(self, field: Schema) -> str:
        """What may be given, in words."""
        if "enum" in field:
            return ", ".join(f"`{value}`" for value in field["enum"])
        if ways := [way for way in field.get("anyOf", ()) if way.get("type") != "null"]:
            if any(way.get("$ref", "").endswith(RATE) for way in ways):
                return f"rate{_bounds(ways[0])}"
            return " or ".join(dict.fromkeys(self._value(way) for way in ways))
        if self._sections(field):
            return "section"
        kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
        words = " or ".join(KINDS[kind] for kind in kinds)
        if "prefixItems" in field:
            return f"{len(field['prefixItems'])} of: {self._value(field['prefixItems'][0])}"
        if kinds == ["array"]:
            return f"{words} of: {self._value(field['items'])}"
        return words + _bounds(field)


def _bounds(field: Schema) -> str:
    """``, above 0, at most 1``."""
    bounds = {name: field[name] for name in BOUNDS if abs(field.get(name, HUGE)) < HUGE}
    return "".join(f", {BOUNDS[name].format(bound)}" for name, bound in bounds.items())


def _defaults(section: Schema) -> dict[str, Any]:
    return {name: field.get("default") for name, field in section["properties"].items()}


def _shared(variants: list[Schema]) -> Fields:
    """The fields that several variants all have, and have alike."""
    first, *others = (variant["properties"] for variant in variants)
    alike = {k: v for k, v in first.items() if "const" not in v and all(it.get(k) == v for it in others)}
    return alike if others else {}
