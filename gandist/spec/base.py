"""The base of every section of a job file, and the lookup of the names that a section may take.

A file in the folder of a kind (data/, models/, losses/, regularizers/, ...) is an option of a job file by its
mere presence: it defines ``Options``, a ``Section``, under the file's name. None of them may import
TensorFlow at the top: validating a job must take a second, not ten.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

NAME = r"^[A-Za-z0-9][A-Za-z0-9._=,+-]{0,99}$"
NAME_WORDS = "1 to 100 of the letters, digits and . _ = , + -, the first a letter or digit"


def _name(text: str) -> str:
    if not re.fullmatch(NAME, text):
        raise ValueError(f"{json.dumps(text[:120])} is not a name; give {NAME_WORDS}")
    return text


# A name becomes a directory: nothing that leaves it, hides it, or needs quotes.
Name = Annotated[
    str, AfterValidator(_name), Field(description=NAME_WORDS, json_schema_extra={"pattern": NAME})
]
Positive = Annotated[int, Field(ge=1, le=10**9)]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]


class _MayChange:
    """What ``MAY_CHANGE`` is."""


MAY_CHANGE = _MayChange()
"""Stands in the ``Annotated`` type of what may change between a trial and its continuation: lengths,
cadences, resources, places. Whatever is not so marked shapes the numbers of a step."""


def _described(schema: dict[str, Any], section: type[BaseModel]) -> None:
    """In the JSON schema, and so in editors, a variant says what its file says."""
    if section.__name__ == "Options":
        schema["description"] = first_line(sys.modules[section.__module__])


class Section(BaseModel):
    """A frozen, strict part of a job file: unknown keys and values of another type are refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, json_schema_extra=_described
    )

    def idle(self) -> Iterator[tuple[str, str]]:
        """Options that nothing reads as the others are, and why: ``without conditional: true``."""
        yield from ()


def fixed(section: Section) -> dict[str, Any]:
    """What of ``section`` a continuation must leave as it is, as plain values."""
    dumped = section.model_dump(mode="json")
    kept = [name for name, field in type(section).model_fields.items() if MAY_CHANGE not in field.metadata]
    values = {name: getattr(section, name) for name in kept if name in dumped}
    return {
        name: fixed(value) if isinstance(value, Section) else dumped[name] for name, value in values.items()
    }


def modules(package: str) -> list[ModuleType]:
    """The modules of ``package`` that a job file may name: those without a leading underscore."""
    parent = importlib.import_module(package)
    names = sorted(m.name for m in pkgutil.iter_modules(parent.__path__) if not m.name.startswith("_"))
    return [importlib.import_module(f"{package}.{name}") for name in names]


def options(package: str) -> list[type[Section]]:
    """The ``Options`` of each variant in ``package``, by the alphabet."""
    return [module.Options for module in modules(package)]


def given(section: Section) -> dict[str, Any]:
    """The variants that a section of ``variants.by_name`` names, in the order of their names."""
    return {
        name: value for name in type(section).model_fields if (value := getattr(section, name)) is not None
    }


def first_line(documented: ModuleType | type) -> str:
    """Of its docstring."""
    return (documented.__doc__ or "").partition("\n")[0]
