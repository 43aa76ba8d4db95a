"""The base of every section of a job file, and the lookup of the names that a section may take.

A file under data/ or models/ is an option of a job file by its mere presence: it defines ``Options``, a
``Section`` whose ``name`` is the file's name. ``losses.py``, ``penalties.py`` and ``optimizers.py`` do the same with
one class each. None of them may import TensorFlow at the top: validating a job must take a second, not ten.
"""

from __future__ import annotations

import functools
import importlib
import operator
import pkgutil
from types import ModuleType
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A frozen, strict part of a job file: unknown keys and values of another type are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def modules(package: str) -> list[ModuleType]:
    """The modules of ``gandist.<package>`` that a job file may name: those not starting with an underscore."""
    parent = importlib.import_module(f"gandist.{package}")
    names = sorted(m.name for m in pkgutil.iter_modules(parent.__path__) if not m.name.startswith("_"))
    return [importlib.import_module(f"{parent.__name__}.{name}") for name in names]


def module_of(options: Section) -> ModuleType:
    """The module that defines ``options``' class: where its builder or loader lives."""
    return importlib.import_module(type(options).__module__)


def subclasses(base: type[Section]) -> list[type[Section]]:
    """The named options defined beside ``base`` in its module, in the order of their definition."""
    module = importlib.import_module(base.__module__)
    members = vars(module).values()
    return [c for c in members if isinstance(c, type) and issubclass(c, base) and c is not base]


def choice(options: list[type[Section]]) -> Any:
    """A pydantic type that accepts any of ``options``, told apart by their ``name``."""
    if len(options) == 1:
        return options[0]
    return Annotated[functools.reduce(operator.or_, options), Field(discriminator="name")]

