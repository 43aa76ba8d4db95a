"""Numbers, times and strangers' values as short text. None of these functions raises on odd values."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from gandist.artifacts.statuses import MEANINGS
from gandist.printable import printable
from gandist.report.intervals import Interval, share_interval
from gandist.report.statistics import Summary

NOTHING = "\N{EN DASH}"


def number(value: object, digits: int = 4) -> str:
    """``value`` with so many significant digits: ``0.6931``, ``12,340``, ``1.2e+30``."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return NOTHING
    value = float(value) if abs(value) < 1e300 else math.inf
    if not math.isfinite(value):
        return NOTHING
    shown = f"{value:,.{digits}g}"
    return f"{value:,.0f}" if "e" in shown and 1 <= abs(value) < 1e7 else shown


def whole(value: object) -> str:
    """A count: ``12,340``."""
    return f"{value:,}" if isinstance(value, int) else number(value)


def plural(count: int, noun: str) -> str:
    """``1 seed``, ``2 seeds``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def spread(value: Summary) -> str:
    """``0.69 ± 0.02``: the standard deviation with two significant digits, the mean with as many places."""
    if not value.n:
        return NOTHING
    if value.n < 2:
        return number(value.mean)
    if not 0 < value.sd < 1e6 or not abs(value.mean) < 1e7:
        return f"{number(value.mean)} ± {number(value.sd, 2)}"
    places = min(max(1 - math.floor(math.log10(value.sd)), 0), 6)
    return f"{value.mean:,.{places}f} ± {value.sd:,.{places}f}"


def estimate(value: float, interval: Interval | None) -> str:
    """``18.6 [17.9, 20.1]``: with as many places as the interval bears; an end may be ``failed``."""
    if math.isnan(value):
        return NOTHING
    if interval is None:
        return _or_failed(value, number)
    ends = [end for end in (value, interval.low, interval.high) if math.isfinite(end)]
    width = max(ends) - min(ends) if ends else 0.0
    if not 0 < width < 1e6 or not all(abs(end) < 1e7 for end in ends):
        shown = [_or_failed(it, number) for it in (value, interval.low, interval.high)]
    else:
        places = min(max(1 - math.floor(math.log10(width)), 0), 6)
        shown = [
            _or_failed(it, lambda it: f"{it:,.{places}f}") for it in (value, interval.low, interval.high)
        ]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]"


def _or_failed(value: float, shown: Callable[[float], str]) -> str:
    return shown(value) if math.isfinite(value) else "failed"


def apart(first: float, *others: float) -> list[str]:
    """Numbers with three digits, or with so many more that the first of them does not look like another."""
    for digits in range(3, 7):
        shown = [number(value, digits) for value in (first, *others)]
        if all(first == value or shown[0] != text for value, text in zip(others, shown[1:], strict=True)):
            break
    return shown


def p_value(p: float) -> str:
    """``p = 0.03``, ``p < 0.001``."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.{2 if p >= 0.01 else 1}g}"


def rate(count: int, of: int) -> str:
    """``1 of 5 (20%, 1 to 72%)``: a share with its exact 95% interval; ``0 of 0`` has none."""
    if not of:
        return NOTHING
    interval = share_interval(count, of)
    return f"{count} of {of} ({count / of:.0%}, {100 * interval.low:.0f} to {interval.high:.0%})"


def listed(names: Sequence[str], most: int = 3) -> str:
    """``a, b and c``; of more than ``most`` the first ones, and how many others."""
    shown = list(names[:most])
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))


def status(name: str) -> str:
    """``mode collapse`` for ``mode_collapse``."""
    return name.replace("_", " ")


def span(ends: tuple[float, float] | None, shown: Callable[[float], str]) -> str:
    """``12.8`` or ``12.8 to 64``: the least and the most as ``shown``, one where they look alike."""
    if ends is None:
        return NOTHING
    low, high = map(shown, ends)
    return low if low == high else f"{low} to {high}"


def duration(seconds: object) -> str:
    """``41 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if not isinstance(seconds, int | float) or not 0 < seconds < 1e10:
        return NOTHING
    if seconds < 60:
        return f"{number(float(seconds), 2 if seconds < 10 else 3)} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min {rest} s"


def when(unix: object) -> str:
    """``2026-01-31 17:05 UTC``."""
    if not isinstance(unix, int | float) or not 0 < unix < 1e11:
        return NOTHING
    return f"{datetime.fromtimestamp(unix, UTC):%Y-%m-%d %H:%M} UTC"


def plain(value: object, limit: int = 300) -> str:
    """A stranger's value as one bounded piece of text; structures are not followed deeper than one list."""
    if isinstance(value, Mapping):
        return "{…}" if value else "{}"
    if isinstance(value, list | tuple):
        inner = ", ".join("…" if isinstance(v, list | tuple | Mapping) else plain(v, 40) for v in value[:12])
        return f"[{inner}{', …' if len(value) > 12 else ''}]"
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "off")
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int) and abs(value) >= 10**18:
        return number(value)
    return printable(value, limit)


def lines(value: object, limit: int) -> str:
    """A stranger's text as ``plain`` gives it, but with its line breaks."""
    if not isinstance(value, str):
        return plain(value, limit)
    return "\n".join(printable(line, limit) for line in value[: limit + 1].strip().splitlines())


def flatten(values: Mapping[str, Any], most: int = 400) -> dict[str, str]:
    """Nested settings as ``{dotted path: text}``: at most ``most`` of them, no deeper than six levels."""
    return dict(islice(_leaves(values, "", 6), most))


def _leaves(values: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        path = f"{prefix}{plain(key, 60)}"
        if isinstance(value, Mapping) and value and depth > 1:
            yield from _leaves(value, f"{path}.", depth - 1)
        else:
            yield path, plain(value, 120)


def device(name: str, replicas: int) -> str:
    """The kind of device, and how many where a trial has more than one."""
    return plain(f"{replicas} \N{MULTIPLICATION SIGN} {name}" if replicas > 1 and name else name, 60)


def status_counts(statuses: Iterable[str]) -> list[tuple[str, int]]:
    """``(status, trials)`` of those that occur, the best ones first."""
    counted = Counter(statuses)
    return [(status, counted[status]) for status in MEANINGS if counted[status]]
