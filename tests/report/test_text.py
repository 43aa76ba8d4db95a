"""Numbers, times and strangers' values as text."""

from __future__ import annotations

import math

import pytest

from gandist.report import text
from gandist.report.statistics import summary
from gandist.report.text import NOTHING


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.693147, "0.6931"),
        (12345, "12,345"),
        (1234567.8, "1,234,568"),
        (1e30, "1e+30"),
        (1.5e-7, "1.5e-07"),
        (0, "0"),
        (math.nan, NOTHING),
        (10**400, NOTHING),
        (None, NOTHING),
        ("1", NOTHING),
    ],
)
def test_number(value, shown):
    assert text.number(value) == shown


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([1.0, 2.0, 3.0, 4.0], "2.5 ± 1.3"),
        ([0.691, 0.694], "0.6925 ± 0.0021"),
        ([1000.0, 3000.0], "2,000 ± 1,414"),
        ([2.0, 2.0], "2 ± 0"),
        ([0.5], "0.5"),
        ([], NOTHING),
    ],
)
def test_spread_has_the_places_that_the_deviation_warrants(values, shown):
    assert text.spread(summary(values)) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.42, "0.42 s"),
        (41.3, "41.3 s"),
        (59.99, "60 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (-1, NOTHING),
    ],
)
def test_duration(seconds, shown):
    assert text.duration(seconds) == shown


def test_when_is_utc():
    assert text.when(1.7e9) == "2023-11-14 22:13 UTC"
    assert text.when(1e300) == text.when("now") == NOTHING


def test_flatten_is_bounded():
    bomb: object = "x"
    for _ in range(12):
        bomb = {str(i): bomb for i in range(10)}

    assert len(text.flatten({"a": bomb})) == 400
    assert text.flatten({"a": {"b": [1, 2.5, None]}, "c": {}}) == {"a.b": "[1, 2.5, off]", "c": "{}"}


def test_plain_is_bounded():
    assert len(text.plain("x" * 10_000, 100)) == 100
    assert text.plain([[1], *range(100)]).startswith("[…, 0, 1")
