"""Addresses that are told how a job has ended. Most are secrets: whoever knows one can post to it."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

VARIABLE = "env:"
"""Before the name of an environment variable of the driver's, which holds the address."""
PATTERN = r"^(https?://[!-~]+|env:[A-Za-z_][A-Za-z0-9_]*)$"
FORMS = "https://host/path, http://host/path, or env:NAME for a variable of the driver's that holds it"


def mistake(address: str) -> str | None:
    """What is wrong with an address, for after its name, without repeating it; None = nothing."""
    if not re.fullmatch(PATTERN, address, re.ASCII):
        return f"is none of {FORMS}"
    if address.startswith(VARIABLE):
        return None
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host:
        return "names no host"
    if "@" in parts.netloc:
        return "holds credentials, which are not sent; take them out"
    return None


def shown(address: str) -> str:
    """An address without its secret."""
    if address.startswith(VARIABLE):
        return address
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}/..."


def _checked(address: str) -> str:
    if wrong := mistake(address):
        raise ValueError(f"an address {wrong}")
    return address


def _several(addresses: Any) -> Any:
    return [addresses] if isinstance(addresses, str) else addresses


Addresses = Annotated[
    tuple[Annotated[str, AfterValidator(_checked), Field(json_schema_extra={"pattern": PATTERN})], ...],
    BeforeValidator(_several),
    Field(
        strict=False,
        max_length=10,
        description=f"what is told how the job has ended, one or several: {FORMS}",
        json_schema_extra={"type": ["array", "string"], "pattern": PATTERN},
    ),
    # job.yaml is read by others, and nothing is posted to what is written there.
    PlainSerializer(lambda addresses: [shown(address) for address in addresses]),
]
