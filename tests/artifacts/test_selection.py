"""Which evaluation of a trial is the best one."""

from __future__ import annotations

import math
from typing import Any

import pytest

from gandist.artifacts.selection import Best, best


def rows(*values: float, **columns: Any) -> list[dict[str, Any]]:
    row = {"metric": "frechet", "split": "selection", "protocol": "p", "lower_is_better": True}
    return [{**row, "step": 10 * at, "value": value, **columns} for at, value in enumerate(values, 1)]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([], None),
        ([3.0], Best(10, 3.0, behind=0)),
        ([3.0, 1.0, 2.0, 2.0], Best(20, 1.0, behind=2)),
        ([2.0, 1.0, 1.0], Best(20, 1.0, behind=1)),
        ([math.nan, 4.0, math.nan], Best(20, 4.0, behind=1)),
        ([math.nan], None),
        ([math.inf, 5.0], Best(20, 5.0, behind=0)),
    ],
)
def test_the_lowest_the_earliest_of_equals_and_never_nan(values: list[float], found: Best | None) -> None:
    assert best(rows(*values), "frechet") == found


def test_the_highest_where_higher_is_better() -> None:
    assert best(rows(1.0, 3.0, 2.0, metric="recall", lower_is_better=False), "recall") == Best(20, 3.0, 1)


@pytest.mark.parametrize("other", [{"split": "held_out"}, {"metric": "kid"}])
def test_rows_that_report_and_other_values_choose_nothing(other: dict[str, Any]) -> None:
    assert best(rows(9.0) + rows(1.0, **other), "frechet") == Best(10, 9.0, behind=0)


def test_values_of_the_protocol_before_the_newest_one_are_not_compared_with_it() -> None:
    changed = rows(1.0, 2.0, 5.0, 4.0)
    changed[2]["protocol"] = changed[3]["protocol"] = "q"
    assert best(changed[:2], "frechet") == Best(10, 1.0, behind=1)
    assert best(changed, "frechet") == Best(40, 4.0, behind=0)
