"""The one door for the JSON and YAML of a job directory, which may be torn by a crash, or a stranger's.

What comes through is of bounded size, depth and count; its integers fit into 64 bits, its text is printable.
A model says what is expected behind it, in the types below, which hold for what gandist writes as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import pydantic_core
from pydantic import AfterValidator, BaseModel, Field, ValidationError

from gandist.printable import one_line, printable
from gandist.spec import yaml

MAX_BYTES = 16 * 2**20
"""Of a document: ten times what a job of 10,000 trials needs."""
MAX_YAML_BYTES = 4 * 2**20
MAX_DEPTH = 40
MAX_VALUES = 1_000_000
MAX_LINE = 2000
INT64 = 2**63

Line = Annotated[str, AfterValidator(lambda text: printable(text, MAX_LINE))]
"""Text for one line, of a terminal too."""
Count = Annotated[int, Field(ge=0, lt=INT64)]
Amount = Annotated[float, Field(ge=0, le=1e30, allow_inf_nan=False)]
Loss = Annotated[float, Field(ge=-3.5e38, le=3.5e38, allow_inf_nan=False)]
"""A finite float32."""
Time = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]
"""Unix seconds, for a few thousand years."""

Model = TypeVar("Model", bound=BaseModel)


class DocumentError(ValueError):
    """The document is not what it should be; one line."""


def to_json(document: BaseModel) -> bytes:
    """A document as it is stored."""
    return f"{document.model_dump_json(indent=1)}\n".encode()


def parse_json(content: bytes) -> Any:
    """What a JSON document says.

    Raises:
        DocumentError: it is none, too deep, or too large.
    """
    try:
        return _clean(pydantic_core.from_json(content))
    except ValueError as error:
        raise DocumentError(one_line(error)) from None


def parse_yaml(content: bytes) -> Any:
    """What a YAML document says; None for an empty one. Raises like ``parse_json``."""
    if len(content) > MAX_YAML_BYTES:
        raise DocumentError(f"larger than {MAX_YAML_BYTES:,} bytes")
    try:
        return _clean(yaml.parse(content.decode()))
    except ValueError as error:
        raise DocumentError(one_line(error)) from None


def validated(model: type[Model], values: Any) -> Model:
    """``values`` as what they should be.

    Raises:
        DocumentError: they are not.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = printable(".".join(map(str, first["loc"])), 80)
        raise DocumentError(f"{where}: {first['msg']}" if where else first["msg"]) from None


def read_json(model: type[Model], content: bytes) -> Model:
    """A JSON document as what it should be. Raises like ``parse_json``."""
    return validated(model, parse_json(content))


def _clean(document: Any) -> Any:
    """The document with printable text; line ends and tabs stay, for what may have several lines."""
    left = MAX_VALUES

    def clean(value: Any, depth: int) -> Any:
        nonlocal left
        left -= 1
        if depth > MAX_DEPTH or left < 0:
            most = f"{MAX_DEPTH} levels deep" if left >= 0 else f"{MAX_VALUES:,} values"
            raise DocumentError(f"more than {most}")
        if isinstance(value, str):
            return printable(value, keep="\n\t")
        if isinstance(value, Mapping):
            return {printable(key): clean(inner, depth + 1) for key, inner in value.items()}
        if isinstance(value, list):
            return [clean(inner, depth + 1) for inner in value]
        if isinstance(value, int) and not -INT64 <= value < INT64:  # thousands of digits are no number
            return math.copysign(math.inf, value) if abs(value) < 10**300 else math.inf
        return value

    return clean(document, 0)
