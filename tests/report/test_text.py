"""Numbers, times and strangers' values as text."""

from __future__ import annotations

import math

import pytest

from gandist.report import text
from gandist.report.intervals import Interval
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


@pytest.mark.parametrize(
    ("value", "ends", "shown"),
    [
        (18.62, (17.9, 20.13), "18.6 [17.9, 20.1]"),
        (0.5, (0.4912, 0.5031), "0.500 [0.491, 0.503]"),
        (18.62, (17.9, math.inf), "18.62 [17.90, failed]"),
        (math.inf, (18.0, math.inf), "failed [18, failed]"),
        (0.7, (-math.inf, 0.8), "0.70 [failed, 0.80]"),
        (2.0, (2.0, 2.0), "2 [2, 2]"),
        (3.0, None, "3"),
        (math.inf, None, "failed"),
        (math.nan, None, NOTHING),
    ],
)
def test_an_estimate_has_the_places_that_its_interval_bears(value, ends, shown):
    assert text.estimate(value, None if ends is None else Interval(*ends)) == shown


@pytest.mark.parametrize(
    ("p", "shown"),
    [
        (0.0476, "p = 0.048"),
        (0.00794, "p = 0.008"),
        (0.0004, "p < 0.001"),
        (0.45, "p = 0.45"),
        (1.0, "p = 1"),
    ],
)
def test_p_value(p, shown):
    assert text.p_value(p) == shown


def test_a_rate_has_its_exact_interval():
    assert text.rate(1, 5) == "1 of 5 (20%, 1 to 72%)"
    assert text.rate(0, 0) == NOTHING


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        ([*"abc"], "a, b and c"),
        ([*"abcde"], "a, b, c and 2 more"),
    ],
)
def test_names_are_listed(names, shown):
    assert text.listed(names) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("One.\nTw\x1b.\n", "One.\nTw\\x1b."),
        ("a" * 30, "a" * 9 + "…"),
        (["a\nb"], "[a\\nb]"),
    ],
)
def test_a_description_keeps_its_line_breaks_and_nothing_else(value, shown):
    assert text.lines(value, 10) == shown


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ((6.951, 7.462), ["6.95", "7.46"]),
        ((10.86, 10.89), ["10.86", "10.89"]),
        ((10.86, 10.89, 40.0), ["10.86", "10.89", "40"]),
        ((2.0, 2.0), ["2", "2"]),
    ],
)
def test_numbers_that_differ_look_different(values, shown):
    assert text.apart(*values) == shown
