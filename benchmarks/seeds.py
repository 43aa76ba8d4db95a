"""What the report's statistics are worth for few seeds: the tables of docs/statistics.md, by simulation.

    python benchmarks/seeds.py                    # all of them, 4 minutes on one core
    python benchmarks/seeds.py coverage --jobs 2000

coverage: how often 95% intervals hold the median or the mean that the seeds were drawn around.
false: in how many jobs of equal configurations the report calls one better. power: of different ones.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

import numpy as np
from scipy.special import stdtrit

from gandist.artifacts.trial_state import TrialState
from gandist.report.comparisons import Comparison, seeds_to_tell
from gandist.report.evaluations import Metric
from gandist.report.intervals import median_interval
from gandist.report.reading import Evaluations
from gandist.report.statistics import Series
from gandist.report.thinning import Thinned
from gandist.report.trial import Trial
from gandist.report.verdict import Verdict, verdict

SHAPES: dict[str, Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]] = {
    "normal": lambda random, size: random.normal(size=size),
    "lognormal, sigma 0.5": lambda random, size: random.lognormal(0.0, 0.5, size),
    "lognormal, sigma 1": lambda random, size: random.lognormal(size=size),
    "Student's t, 2 degrees": lambda random, size: random.standard_t(2, size=size),
}
MEDIANS = dict(zip(SHAPES, (0.0, 1.0, 1.0, 0.0), strict=True))
MEANS = dict(zip(SHAPES, (0.0, math.exp(0.125), math.exp(0.5), 0.0), strict=True))
RESAMPLES = 400

Ends = tuple[float, float]


def order_statistics(values: np.ndarray) -> Ends:
    """The report's interval of the median."""
    found = median_interval(values.tolist())
    return (found.low, found.high) if found else (math.nan, math.nan)


def student(values: np.ndarray) -> Ends:
    """Of the mean."""
    half = float(stdtrit(values.size - 1, 0.975)) * values.std(ddof=1) / math.sqrt(values.size)
    return values.mean() - half, values.mean() + half


def percentile(values: np.ndarray, of: Callable[..., np.ndarray] = np.median) -> Ends:
    """Of the bootstrap."""
    random = np.random.default_rng(0)
    found = of(values[random.integers(0, values.size, (RESAMPLES, values.size))], axis=1)
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def bootstrap_t(values: np.ndarray) -> Ends:
    """Of the mean, with the bootstrap's distribution of Student's statistic."""
    drawn = values[np.random.default_rng(0).integers(0, values.size, (RESAMPLES, values.size))]
    error = values.std(ddof=1) / math.sqrt(values.size)
    with np.errstate(all="ignore"):
        t = (drawn.mean(axis=1) - values.mean()) / (drawn.std(axis=1, ddof=1) / math.sqrt(values.size))
    low, high = np.quantile(np.nan_to_num(t, posinf=1e9, neginf=-1e9), [0.025, 0.975])
    return values.mean() - high * error, values.mean() - low * error


METHODS: dict[str, tuple[Callable[[np.ndarray], Ends], dict[str, float]]] = {
    "median: order statistics (the report)": (order_statistics, MEDIANS),
    "median: percentile bootstrap": (percentile, MEDIANS),
    "mean: Student's t": (student, MEANS),
    "mean: percentile bootstrap": (lambda values: percentile(values, np.mean), MEANS),
    "mean: bootstrap-t": (bootstrap_t, MEANS),
}


def coverage(jobs: int) -> None:
    """Percent of jobs in which the interval holds the truth."""
    print("| interval | seeds drawn from | n = 3 | 5 | 8 | 20 |\n|---|---|---|---|---|---|")
    for name, (method, truths) in METHODS.items():
        for shape, draw in SHAPES.items():
            cells = []
            for n in (3, 5, 8, 20):
                ends = [method(values) for values in draw(np.random.default_rng(n), (jobs, n))]
                cells.append(f"{100 * np.mean([low <= truths[shape] <= high for low, high in ends]):.1f}")
            print(f"| {name} | {shape} | {' | '.join(cells)} |", flush=True)


METRIC = Metric("frechet", lower_is_better=True, protocol="p", title="frechet")


def judged(values: np.ndarray) -> Verdict | None:
    """The report's verdict over values ``[configurations, seeds]``; infinite ones diverged."""

    def trial(config: int, seed: int, value: float) -> Trial:
        at = np.ones(1, np.int64)
        series = Series(at, at.astype(np.float64), np.asarray([value]))
        there = Evaluations({("frechet", True, "p"): series}) if math.isfinite(value) else Evaluations()
        status = "completed" if math.isfinite(value) else "diverged"
        state = TrialState(status=status, step=1, total_steps=1, kimg=1.0)
        return Trial(f"{config}-seed{seed}", str(config), seed, status, state, Thinned(), there)

    rows = enumerate(values)
    return verdict({str(c): [trial(c, seed, v) for seed, v in enumerate(row)] for c, row in rows}, METRIC)


def false_positives(jobs: int) -> None:
    """Percent of jobs of equal configurations in which the best one is called better than another."""
    print("| configurations x seeds | none failed | 20% of the seeds failed |\n|---|---|---|")
    for configs, seeds in ((2, 5), (4, 5), (4, 8), (10, 5), (10, 7), (10, 10)):
        cells = []
        for failing in (0.0, 0.2):
            random = np.random.default_rng([configs, seeds])
            count = 0
            for _ in range(jobs):
                values = random.normal(size=(configs, seeds))  # ranks are all that counts, whatever the shape
                found = judged(np.where(random.random(values.shape) < failing, np.inf, values))
                count += bool(found and found.ranked.beaten)
            cells.append(f"{100 * count / jobs:.1f}")
        print(f"| {configs} x {seeds} | {' | '.join(cells)} |", flush=True)


def power(jobs: int) -> None:
    """Percent of jobs in which one configuration, better by so many standard deviations, is called so."""
    print("| configurations x seeds | better by 1.5 | 2 | 3 | 4 |\n|---|---|---|---|---|")
    for configs, seeds in ((2, 4), (2, 5), (2, 8), (4, 5), (4, 8), (10, 7), (10, 10)):
        cells = []
        for shift in (1.5, 2.0, 3.0, 4.0):
            random = np.random.default_rng([configs, seeds])
            count = 0
            for _ in range(jobs):
                values = random.normal(size=(configs, seeds))
                values[0] -= shift
                found = judged(values)
                first = found is not None and found.ranked.best.config == "0"
                count += first and len(found.ranked.beaten) == configs - 1
            cells.append(f"{100 * count / jobs:.0f}")
        print(f"| {configs} x {seeds} | {' | '.join(cells)} |", flush=True)
    print("\n| better in so many of the pairs | seeds that would probably tell | and told, % of jobs |")
    print("|---|---|---|")
    for shift in (0.75, 1.0, 1.5, 2.0):
        share = 0.5 * (1 + math.erf(shift / 2))
        needed = seeds_to_tell(Comparison(share * 1e6, 10**6, 1.0), 2) or 0
        random = np.random.default_rng(0)
        told = 0
        for _ in range(jobs):
            found = judged(np.stack([random.normal(-shift, size=needed), random.normal(size=needed)]))
            told += bool(found and found.ranked.beaten)
        print(f"| {share:.0%} | {needed} | {100 * told / jobs:.0f} |", flush=True)


TABLES = {"coverage": coverage, "false": false_positives, "power": power}


def main() -> None:
    """As the module says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"of {', '.join(TABLES)}; all by default")
    parser.add_argument("--jobs", type=int, default=2000)
    given = parser.parse_args()
    for name in given.tables or TABLES:
        TABLES[name](given.jobs)
        print()


if __name__ == "__main__":
    main()
