"""How far a job is, and when it will be done."""

from __future__ import annotations

from gandist.console.estimate import Estimate, Part, estimate


def test_what_waits_takes_the_place_that_is_free_first() -> None:
    running = [Part(50, 100, 1.0, active=True), Part(20, 100, 1.0, active=True)]
    waiting = [Part(0, 100), Part(0, 100)]
    assert estimate(running + waiting[:1]) == Estimate(70 / 300, 150.0)  # 80, and 50 + 100
    assert estimate(running + waiting) == Estimate(70 / 400, 180.0)


def test_a_job_is_done_when_its_last_trial_is() -> None:
    assert estimate([Part(90, 100, 1.0, active=True), Part(0, 100, 2.0, active=True)]) == Estimate(
        0.45, 200.0
    )


def test_trials_may_differ_in_length_and_in_pace() -> None:
    running = Part(0, 100, 1.0, active=True)
    assert estimate([running, Part(0, 50, 4.0)]) == Estimate(0.0, 300.0)
    assert estimate([running, Part(0, 0)]) == Estimate(0.0, 200.0)  # of which nothing is known: as the other


def test_a_trial_that_starts_has_a_place_already() -> None:
    running = Part(0, 100, 1.0, active=True)
    assert estimate([running, Part(0, 100, active=True), Part(0, 100)]) == Estimate(0.0, 200.0)


def test_what_has_ended_early_is_done() -> None:
    ended = Part(10, 100, 2.0, ended=True)
    assert estimate([ended, Part(0, 30, active=True)]) == Estimate(0.25, 60.0)


def test_without_a_pace_there_is_no_time_and_without_steps_nothing() -> None:
    assert estimate([Part(0, 100, active=True), Part(0, 100)]) == Estimate(0.0, None)
    assert estimate([Part(0, 0), Part(0, 0)]) is None
    assert estimate([Part(100, 100, 1.0, ended=True)]) is None
    assert estimate([]) is None


def test_as_text() -> None:
    assert str(Estimate(0.999, 102.0)) == "99% done, ETA 1:42"
    assert str(Estimate(0.0)) == "0% done"
