"""Pruning: configurations compared by all of their seeds at rungs, and the same answer after any kill."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest

from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.trial_state import TrialState
from gandist.errors import SpecError
from gandist.runner import run as running
from gandist.runner.events import Finished, Notice, Outcome, RunEvent
from gandist.runner.local_backend import LocalBackend
from gandist.runner.plan import make_plan
from gandist.runner.pruning import WORST, decide, next_stage
from gandist.spec.job import Job
from gandist.spec.pruning import Pruning
from gandist.spec.trial import TrialSpec

from .conftest import make_job

MEASURED = f"{__name__}:measured"
KIMG = 1.0
"""Of a step of ``measured``."""
GAPS = {"a": 3.0, "b": 1.0, "c": 2.0, "d": 4.0}


def rule(**changes: Any) -> Pruning:
    return Pruning.model_validate({"rungs_kimg": [2, 4], **changes})


def job(**changes: Any) -> Job:
    pruning = {"pruning": {"rungs_kimg": [2, 4], "keep": 0.5}} | changes
    return make_job(
        steps=8,
        evaluation={"every_steps": 3, "samples": 100},
        configs={config: {} for config in GAPS},
        **{name: section for name, section in pruning.items() if section is not None},
    )


def measured(
    trial: TrialSpec, job_root: str, data_dir: str | None, stop: threading.Event
) -> Iterator[TrialState]:
    """A ``TrialFunction``: closer and closer to a distance of its configuration; seed 1 of ``c`` diverges."""
    directory = JobDir(job_root).trial(trial.id)
    before = directory.read_state()
    assert trial.training.steps is not None
    until = int(min(trial.pause_kimg or math.inf, trial.training.steps))
    rows = directory.read_metrics()
    state = before.model_copy(update={"status": "running", "identity": trial.identity()})
    for step in range(before.step + 1, until + 1):
        state = state.model_copy(update={"step": step, "kimg": step * KIMG, "total_steps": 8})
        if trial.id == "c-seed1":
            state = state.model_copy(update={"status": "diverged", "reason": "d_loss is nan at step 1"})
            break
        if step % 3 == 0 or step == until:
            row = dict.fromkeys(("epoch", "error", "floor", "wall_time"), 0.0)
            row |= {"trial": trial.id, "config": trial.config, "seed": trial.seed, "step": step}
            row |= {"kimg": step * KIMG, "value": GAPS[trial.config] + trial.seed / 10 + 8 - step}
            row |= {"features": "mnist-0", "split": "held_out", "samples": 100, "weights": "live"}
            rows.append({**row, "metric": "frechet", "lower_is_better": True, "protocol": "one"})
            directory.write_metrics(rows)
        directory.write_state(state)
        yield state
        if stop.is_set():
            state = state.model_copy(update={"status": "stopped"})
            break
    else:
        state = state.model_copy(update={"status": "completed" if until == 8 else "paused"})
    directory.write_trial(trial.model_dump(mode="json"))
    directory.write_state(state)
    yield state


@pytest.fixture
def run(job_dir: JobDir, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    monkeypatch.setattr(running, "LocalBackend", partial(LocalBackend, trial_function=MEASURED))
    storage = job_dir.root.rpartition("/")[0]

    def run(job: Job, on_event: Callable[[RunEvent], None] = lambda _: None) -> Outcome:
        return running.run(
            job, storage, data_dir=None, local=True, retry_failed=False, fresh=False, on_event=on_event
        )

    return run


def ends(outcome: Outcome) -> dict[str, tuple[str, int, str]]:
    return {trial: (it.status, it.step, it.reason) for trial, it in outcome.states.items()}


def steps(states: Mapping[str, TrialState]) -> int:
    return sum(state.step for state in states.values())


def test_the_best_share_goes_on_by_the_median_over_seeds() -> None:
    values = {"lucky": [1.0, 90.0, 91.0], "steady": [10.0, 11.0, 12.0], "bad": [50.0, 60.0, 70.0]}
    decision = decide(values, rule(keep=0.34), 2)
    assert decision.kept == ("steady", "bad")
    assert decision.pruned == {
        "lucky": "at 2 kimg frechet was 90 (median of 3 seeds), place 3 of 3 configurations; the last to go "
        "on was bad with 60 (median of 3 seeds)"
    }


def test_a_failed_seed_counts_as_the_worst() -> None:
    values = {"fails": [1.0, WORST, WORST], "once": [1.0, 3.0, WORST], "never": [2.0, 4.0, 5.0]}
    decision = decide(values, rule(keep=0.5), 2)
    assert decision.kept == ("once", "never")
    assert "frechet was none (median of 3 seeds, 2 failed)" in decision.pruned["fails"]


def test_of_equal_medians_the_better_ranks_go_on_and_of_equal_ranks_the_earlier_one() -> None:
    same = {"a": [1.0, 2.0, 4.0], "b": [1.0, 2.0, 3.0], "c": [1.0, 2.0, 3.0]}
    assert decide(same, rule(keep=0.6), 2).kept == ("b", "c")
    assert decide(same, rule(keep=0.3), 2).kept == ("b",)


def test_where_higher_values_are_better_they_are_shown_as_they_are() -> None:
    decision = decide({"a": [-0.9], "b": [-0.5]}, rule(), 2, sign=-1)
    assert "was 0.5 (one seed)" in decision.pruned["b"]


def test_a_job_prunes_at_each_rung_and_the_rest_is_trained_to_the_end(run: Callable[..., Outcome]) -> None:
    told: list[RunEvent] = []
    outcome = run(job(), told.append)
    assert {trial: status for trial, (status, _, _) in ends(outcome).items()} == {
        "a-seed0": "pruned",
        "a-seed1": "pruned",
        "b-seed0": "completed",
        "b-seed1": "completed",
        "c-seed0": "pruned",
        "c-seed1": "diverged",
        "d-seed0": "pruned",
        "d-seed1": "pruned",
    }
    assert [outcome.states[f"{config}-seed0"].step for config in "abcd"] == [4, 8, 2, 2]
    assert outcome.exit_code == 0
    lines = [event.text for event in told if isinstance(event, Notice)]
    assert "at 2 kimg 2 of 4 configurations go on: b, a; pruned: d, c" in lines
    assert "at 4 kimg 1 of 2 configurations go on: b; pruned: a" in lines
    ended = [event.trial for event in told if isinstance(event, Finished) and event.state.status == "pruned"]
    assert ended == ["c-seed0", "d-seed0", "d-seed1", "a-seed0", "a-seed1"]


@pytest.mark.parametrize("after", [1, 5, 9, 14, 18, 21])
def test_a_job_that_is_killed_and_continued_prunes_the_same(
    run: Callable[..., Outcome], job_dir: JobDir, tmp_path_factory: pytest.TempPathFactory, after: int
) -> None:
    class KilledError(BaseException):
        pass

    seen = 0

    def kill(event: RunEvent) -> None:
        nonlocal seen
        seen += hasattr(event, "state")
        if seen == after:
            raise KilledError

    with pytest.raises(KilledError):
        run(job(), kill)
    continued = ends(run(job()))
    for trial in job().trials:
        job_dir.storage.delete(f"trials/{trial.id}")
    assert continued == ends(run(job()))


def test_without_the_section_pruned_trials_go_on(run: Callable[..., Outcome]) -> None:
    run(job())
    outcome = run(job(pruning=None))
    assert {it.status for it in outcome.states.values()} == {"completed", "diverged"}
    assert steps(outcome.states) == 7 * 8 + 1


def test_with_another_share_it_is_decided_anew(run: Callable[..., Outcome]) -> None:
    run(job())
    outcome = run(job(pruning={"rungs_kimg": [2, 4], "keep": 0.75}))
    assert [outcome.states[f"{config}-seed0"].status for config in "abcd"] == [
        "completed",
        "completed",
        "pruned",
        "completed",
    ]


def test_a_job_that_has_ended_has_nothing_left_to_do(run: Callable[..., Outcome]) -> None:
    first = ends(run(job()))
    told: list[RunEvent] = []
    assert ends(run(job(), told.append)) == first
    assert any(isinstance(it, Notice) and it.text.startswith("nothing left to do: 8 of 8") for it in told)


def test_what_a_rung_has_pruned_is_marked_though_nothing_is_left_to_run(
    run: Callable[..., Outcome], job_dir: JobDir
) -> None:
    run(job(pruning=None))
    directory = job_dir.trial("d-seed0")
    directory.write_state(directory.read_state().model_copy(update={"status": "stopped"}))
    outcome = run(job())
    assert outcome.states["d-seed0"].status == directory.read_state().status == "pruned"
    assert outcome.exit_code == 0


def test_a_trial_that_was_trained_past_a_rung_before_is_compared_by_its_first_evaluation_there(
    run: Callable[..., Outcome], job_dir: JobDir
) -> None:
    run(job(pruning=None))
    stage = next_stage(job(), make_plan(job().trials, job_dir), job_dir)
    assert stage.plan.todo == ()
    assert [decision.kept for decision in stage.decisions] == [("b", "a"), ("b",)]


def test_without_pruning_there_is_one_stage(job_dir: JobDir) -> None:
    plain = job(pruning=None)
    plan = make_plan(plain.trials, job_dir)
    assert next_stage(plain, plan, job_dir).plan == plan


@pytest.mark.parametrize(
    ("sections", "problem"),
    [
        ({"evaluation": None}, "pruning.metric: frechet is not measured: evaluation.metrics of base: none"),
        (
            {"configs": {"a": {}, "b": {"evaluation.samples": 200}}},
            "pruning: a and b have two evaluation sections, whose values are not comparable",
        ),
    ],
)
def test_configurations_that_cannot_be_compared_are_refused(sections: Any, problem: str) -> None:
    with pytest.raises(SpecError, match=problem):
        make_job(**{"evaluation": {"samples": 100}, "pruning": {"rungs_kimg": [1]}, **sections})
