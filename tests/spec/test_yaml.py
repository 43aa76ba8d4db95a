"""What gandist writes as YAML is what it, and anyone's PyYAML, reads back."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gandist.spec.base import NAME
from gandist.spec.yaml import dump, parse

LOOK_LIKE_OTHERS = [
    *("1e-4", "1E+4", "1.5e3", "1e400", ".5", "1.", "017", "0o17", "0x10", "0b1", "1_000", "9" * 40),
    *("on", "off", "yes", "No", "y", "null", "Null", "true", "False", "2024-01-01", "2001-12-14t21", "12:30"),
    *(
        "1:30:00",
        "1,5",
        "1-2",
        "1e5=x",
        "0",
        "00",
        "-1",
        "+7",
        ".inf",
        "-.INF",
        ".nan",
        "~",
        "=",
        "<<",
        "",
        "é",
    ),
]
NAMES = st.from_regex(NAME.removesuffix("$"), fullmatch=True) | st.sampled_from(LOOK_LIKE_OTHERS)
VALUES = st.none() | st.booleans() | st.integers(-(2**60), 2**60)
TEXT = NAMES | st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20)


@pytest.mark.parametrize("text", LOOK_LIKE_OTHERS)
def test_text_that_looks_like_something_else_is_quoted(text: str) -> None:
    for read in (parse, yaml.safe_load):
        assert read(dump({"name": text, "list": [text]})) == {"name": text, "list": [text]}


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(TEXT, VALUES | TEXT | st.lists(TEXT)))
def test_what_is_written_is_read_back(values: dict[str, Any]) -> None:
    for read in (parse, yaml.safe_load):
        assert read(dump(values)) == values


@settings(max_examples=300, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_read_back_in_every_bit(number: float) -> None:
    assert parse(dump([number])) == yaml.safe_load(dump([number])) == [number]
