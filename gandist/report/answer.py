"""What a job says, in one or two sentences that a person can act on. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gandist.report import text
from gandist.report.comparisons import Comparison
from gandist.report.ranking import Standing
from gandist.report.trial import Trial
from gandist.report.verdict import Ranked, Verdict, broken

NOT_MEASURED = (
    "Nothing was measured of the images, so no configuration is called better: losses do not tell. "
    "Compare the samples, or measure afterwards: gandist evaluate JOB_DIR --metric frechet."
)
NOTHING_YET = "No trial has completed with an evaluation after its last step yet."


def unranked(trials: Sequence[Trial]) -> str:
    """Where something was measured, and no trial has a value that counts: not yet, or never."""
    if not all(trial.meaning.final for trial in trials):
        return NOTHING_YET
    ended = text.listed([f"{count} {text.status(name)}" for name, count in broken(trials)])
    return f"No trial ended as it should: {ended or 'none is left'}. What was measured on the way is below."


def answer(found: Verdict) -> str:
    """The best configuration, how sure that is, what failed, and what would tell more."""
    ranked, metric = found.ranked, found.metric
    said = [] if not found.unfinished else [f"So far ({text.plural(found.unfinished, 'trial')} to go):"]
    said.append(_compared(ranked, metric.title))
    if found.equal:
        said.append(_at_equal(found))
    if found.pruned:
        were = "was" if len(found.pruned) == 1 else "were"
        said.append(f"{text.plural(len(found.pruned), 'configuration')} {were} pruned on the way.")
    failed = [it for it in ranked.standings if it.scores.failed]
    if failed:
        shown = text.listed([_failures(it) for it in failed])
        said.append(f"Failed, and ranked as the worst seeds: {shown}.")
    return " ".join(said)


def _compared(ranked: Ranked, title: str) -> str:
    best, others = ranked.best, ranked.others
    if not others:
        return f"{best.config}: {title} {_alone(best)}."
    if not ranked.can_tell:
        return _too_few(ranked, title)
    if not ranked.beaten:
        return _undecided(ranked, title)
    if len(ranked.beaten) == len(others):
        whom = f"the other {len(others)} configurations" if len(others) > 1 else others[0].config
    elif len(ranked.beaten) > 3:
        whom = f"{len(ranked.beaten)} of the other {len(others)} configurations"
    else:
        whom = text.listed([it.config for it in ranked.beaten])
    first = (
        f"{best.config} is better than {whom} ({title} {_against(best, ranked.beaten)}; {_evidence(ranked)})."
    )
    if not ranked.undecided:
        return first
    close = ranked.undecided[0]
    pairs = f" ({_pairs(close.against)})" if close.against else ""
    if (more := len(ranked.undecided) - 1) == 0:
        return f"{first} Its difference from {close.config}{pairs} is not significant.{_more(ranked)}"
    rest = f"{close.config}{pairs} and {more} more are not significant"
    return f"{first} Its differences from {rest}.{_more(ranked)}"


def _too_few(ranked: Ranked, title: str) -> str:
    many, best = len(ranked.standings), ranked.best
    verb = "is" if all(it.scores.n == 1 for it in ranked.standings) else "are"
    return (
        f"{_seeds(ranked.standings)} {verb} too few to say which of {text.plural(many, 'configuration')} is "
        f"better: it takes at least {ranked.least} of each. The best median is that of {best.config} "
        f"({title} {_against(best, ranked.others)}).{_more(ranked)}"
    )


def _undecided(ranked: Ranked, title: str) -> str:
    best, others = ranked.best, ranked.others
    whom = f"the other {len(others)} configurations" if len(others) > 1 else others[0].config
    return (
        f"No difference between {best.config}, which has the best median, and {whom} is significant with "
        f"{_seeds(ranked.standings)} ({title} {_against(best, others)}).{_more(ranked)}"
    )


def _more(ranked: Ranked) -> str:
    """How many more seeds would probably tell the next one from the best one."""
    needed = [(more, it) for it in ranked.undecided if (more := ranked.more_seeds(it)) is not None]
    if not needed:
        return " The seeds overlap so much that dozens more would hardly tell."
    more, easiest = min(needed, key=lambda found: found[0])
    whom = "" if len(ranked.others) == 1 else f" it from {easiest.config}"
    enough = max(it.scores.n for it in ranked.standings) + more
    again = f"the same job with --set seeds=0..{enough - 1}"
    return f" About {more} more of each would probably tell{whom}: {again}."


def _at_equal(found: Verdict) -> str:
    equal = found.equal
    if equal is None or equal.ranked is None or not equal.ranked.others:
        return "The budgets differ, and nothing was evaluated at equal ones."
    at = f"The budgets differ; at equal ones ({text.number(equal.kimg)} kimg)"
    ranked = equal.ranked
    if not ranked.beaten:
        return f"{at} no difference is significant, and {ranked.best.config} has the best median."
    many = (
        f"{len(ranked.beaten)} of the other {len(ranked.others)}"
        if len(ranked.others) > 1
        else ranked.others[0].config
    )
    return f"{at} {ranked.best.config} is better than {many}."


def _against(best: Standing, others: Sequence[Standing]) -> str:
    """``18.6 against 22.3 to 26.4``: medians."""
    medians = [it.scores.median for it in others if math.isfinite(it.scores.median)]
    if not medians:
        return f"{text.number(best.scores.median, 3)} against failed seeds, medians"
    own, *ends = text.apart(best.scores.median, medians[0], medians[-1])
    return f"{own} against {ends[0] if ends[0] == ends[1] else ' to '.join(ends)}, medians"


def _evidence(ranked: Ranked) -> str:
    """``better in at least 24 of 25 pairs of seeds, p = 0.03 after Holm``: of the weakest comparison."""
    compared = [it.against for it in ranked.beaten if it.against]
    weakest = max(compared, key=lambda it: (it.adjusted, -it.better / it.pairs))
    least = "at least " if len(compared) > 1 else ""
    p = text.p_value(weakest.adjusted)
    p = p.replace("p =", "p at most") if len(compared) > 1 else p
    return f"better in {least}{_pairs(weakest)} of seeds, {p} after Holm"


def _pairs(found: Comparison) -> str:
    return f"{text.number(found.better)} of {found.pairs} pairs"


def _seeds(standings: Sequence[Standing]) -> str:
    counts = [it.scores.n for it in standings]
    few, many = min(counts), max(counts)
    return text.plural(few, "seed") if few == many else f"{few} to {many} seeds"


def _alone(it: Standing) -> str:
    interval = it.scores.interval
    shown = text.estimate(it.scores.median, interval)
    if interval is None:
        return f"{shown}, of a single seed"
    of = (
        f"the range of {it.scores.n} seeds"
        if interval.coverage < 0.95
        else f"95% interval, {it.scores.n} seeds"
    )
    return f"{shown} (median and {of})"


def _failures(it: Standing) -> str:
    ways = ", ".join(text.status(name) for name in dict.fromkeys(it.scores.failed.values()))
    return f"{len(it.scores.failed)} of the {text.plural(it.scores.n, 'seed')} of {it.config} ({ways})"
