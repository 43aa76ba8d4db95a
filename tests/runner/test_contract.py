"""What holds on every backend."""

from __future__ import annotations

import os
import signal

import pytest

from gandist.artifacts.job_dir import TrialDir
from gandist.artifacts.trial_state import TrialState
from gandist.errors import RunError, UsageError
from gandist.runner.events import Alive, Finished, JobEvent, Progress, Requeued, Started

from .conftest import Jobs, make_job
from .fakes import BROKEN, script, states_on_disk

A, B = "base-seed0", "base-seed1"
decided_before_a_backend = pytest.mark.parametrize(
    "jobs", ["local", pytest.param("ray", marks=[pytest.mark.ray, pytest.mark.slow])], indirect=True
)
"""Of what is to run, and from where: on Ray before a release."""


def test_every_trial_is_completed(jobs: Jobs) -> None:
    outcome = jobs.run(make_job())
    assert outcome.states == states_on_disk(jobs.job_dir, [A, B])
    assert outcome.counts == {"completed": 2}
    assert outcome.exit_code == 0


def test_progress_is_told_in_order(jobs: Jobs) -> None:
    jobs.run(make_job(seeds=1, steps=3))
    told = [type(event) for event in jobs.events if not isinstance(event, Alive)]
    assert told == [Started, Progress, Progress, Progress, Finished]
    assert [event.state.step for event in jobs.of(Progress)] == [1, 2, 3]


@decided_before_a_backend
def test_a_finished_trial_is_not_run_again(jobs: Jobs) -> None:
    finished = TrialState(status="unstable", step=2, reason="at step 2")
    jobs.job_dir.trial(A).write_state(finished)
    outcome = jobs.run(make_job())
    assert [event.trial for event in jobs.of(Started)] == [B]
    assert outcome.states[A] == states_on_disk(jobs.job_dir, [A])[A] == finished
    assert outcome.exit_code == 0


@decided_before_a_backend
def test_a_trial_that_an_earlier_version_called_collapsed_is_not_run_again(jobs: Jobs) -> None:
    jobs.job_dir.trial(A).storage.write("state.json", b'{"status": "collapsed", "step": 2}')
    outcome = jobs.run(make_job())
    assert [event.trial for event in jobs.of(Started)] == [B]
    assert outcome.counts == {"unstable": 1, "completed": 1}


def test_a_lost_trial_is_requeued_and_goes_on(jobs: Jobs) -> None:
    script(jobs.job_dir, {A: ["fail"]})
    outcome = jobs.run(make_job(steps=3))
    assert [(e.trial, e.failures, e.reason) for e in jobs.of(Requeued)] == [
        (A, 1, "RuntimeError: out of memory while")
    ]
    assert outcome.counts == {"completed": 2}
    assert outcome.states[A].attempts == 2
    assert [event.state.step for event in jobs.of(Progress, A)] == [1, 2, 3]
    assert "raise RuntimeError" in jobs.job_dir.trial(A).storage.read(TrialDir.ERROR).decode()


def test_a_trial_fails_after_so_many_losses_and_the_others_go_on(jobs: Jobs) -> None:
    script(jobs.job_dir, {A: ["fail"] * 9})
    outcome = jobs.run(make_job(steps=20, schedule={"max_failures": 1}))
    assert outcome.exit_code == 1
    assert {trial: state.status for trial, state in outcome.states.items()} == {A: "failed", B: "completed"}
    failed = states_on_disk(jobs.job_dir, [A])[A]
    assert failed == outcome.states[A]
    assert (failed.attempts, failed.step, failed.reason) == (2, 2, "RuntimeError: out of memory while")


def test_missing_data_is_not_tried_again(jobs: Jobs) -> None:
    script(jobs.job_dir, {A: ["no_data"]})
    outcome = jobs.run(make_job())
    assert jobs.of(Requeued) == []
    assert outcome.states[A].status == "failed"
    assert outcome.states[A].reason == "/data/mnist.npz: no such file"
    assert outcome.states[B].status == "completed"


def test_a_trial_that_cannot_begin_fails_with_its_reason(jobs: Jobs) -> None:
    outcome = jobs.run(make_job(seeds=1, schedule={"max_failures": 0}), function=BROKEN)
    assert outcome.states[A].status == "failed"
    assert "there_is_no_such_function" in outcome.states[A].reason
    assert outcome.states[A].attempts == 1


def test_a_trial_that_ends_without_a_result_is_lost(jobs: Jobs) -> None:
    script(jobs.job_dir, {A: ["vanish"]})
    outcome = jobs.run(make_job(seeds=1))
    assert "without a result" in jobs.of(Requeued)[0].reason
    assert outcome.exit_code == 0


def test_divergence_is_a_result(jobs: Jobs) -> None:
    script(jobs.job_dir, {A: ["diverge"]})
    outcome = jobs.run(make_job())
    assert outcome.exit_code == 0
    assert outcome.counts == {"diverged": 1, "completed": 1}
    assert outcome.states[A].reason == "d_loss is NaN at step 2"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_at_a_checkpoint_and_the_job_can_go_on(jobs: Jobs, number: signal.Signals) -> None:
    script(jobs.job_dir, {A: ["until_stopped"]})
    job = make_job(seeds=2, schedule={"max_concurrent": 1})
    handler = signal.getsignal(number)

    def interrupt(event: JobEvent) -> None:
        if isinstance(event, Progress) and not sent:
            sent.append(event.trial)
            os.kill(os.getpid(), number)

    sent: list[str] = []
    outcome = jobs.run(job, on_event=interrupt)
    assert outcome.exit_code == 128 + number
    assert {trial: state.status for trial, state in outcome.states.items()} == {A: "stopped", B: "queued"}
    assert signal.getsignal(number) == handler

    again = jobs.run(job)
    assert again.counts == {"completed": 2}
    assert again.states[A].attempts == 2


def test_no_more_than_max_concurrent_run_at_a_time(jobs: Jobs) -> None:
    running: set[str] = set()
    most = 0

    def count(event: JobEvent) -> None:
        nonlocal most
        if isinstance(event, Started):
            running.add(event.trial)
        elif isinstance(event, Finished):
            running.remove(event.trial)
        most = max(most, len(running))

    outcome = jobs.run(make_job(seeds=4, schedule={"max_concurrent": 1}), on_event=count)
    assert outcome.counts == {"completed": 4}
    assert most == 1
    assert len({state.host for state in outcome.states.values()}) == 1, "the process is used again"


def test_a_run_ends_at_once_where_another_driver_has_the_job(jobs: Jobs) -> None:
    script(jobs.job_dir, {A: ["until_stopped"]})

    def check() -> None:
        if jobs.of(Progress):
            raise RunError("another has taken the job over")

    with pytest.raises(RunError, match="taken the job over"):
        jobs.run(make_job(seeds=1), check=check)
    assert states_on_disk(jobs.job_dir, [A])[A].status == "running", "what it writes now is the other's"


@decided_before_a_backend
def test_more_seeds_configurations_and_steps_continue_and_add(jobs: Jobs) -> None:
    jobs.run(make_job(seeds=1, steps=2))
    grown = make_job(seeds=2, steps=3, configs={"base": {}, "other": {"model.latent_dim": 7}})
    outcome = jobs.run(grown)
    assert outcome.counts == {"completed": 4}
    steps = {trial: [event.state.step for event in jobs.of(Progress, trial)] for trial in outcome.states}
    assert steps == {A: [3], B: [1, 2, 3], "other-seed0": [1, 2, 3], "other-seed1": [1, 2, 3]}


@decided_before_a_backend
def test_a_smaller_job_leaves_what_is_trained(jobs: Jobs) -> None:
    jobs.run(make_job(seeds=2, steps=3))
    before = states_on_disk(jobs.job_dir, [A, B])
    outcome = jobs.run(make_job(seeds=1, steps=2))
    assert jobs.events == []
    assert outcome.exit_code == 0
    assert states_on_disk(jobs.job_dir, [A, B]) == before


@decided_before_a_backend
def test_other_settings_are_refused_before_anything_runs(jobs: Jobs) -> None:
    jobs.run(make_job())
    before = states_on_disk(jobs.job_dir, [A, B])
    with pytest.raises(UsageError) as refused:
        jobs.run(make_job(optimizer={"learning_rate": 0.5}, samples={"rows": 2}))
    first, changed, hint = str(refused.value).splitlines()
    assert first == "base-seed0 and 1 more: trained with other settings than the job has now:"
    assert changed == "  base-seed0: optimizer.learning_rate: 0.0001 -> 0.5"
    assert "--fresh" in hint
    assert jobs.events == []
    assert states_on_disk(jobs.job_dir, [A, B]) == before


@decided_before_a_backend
def test_fresh_trains_changed_trials_anew_and_keeps_what_was_there(jobs: Jobs) -> None:
    configs = {"a": {}, "b": {"model.latent_dim": 7}}
    jobs.run(make_job(seeds=1, configs=configs))
    before = states_on_disk(jobs.job_dir, ["a-seed0", "b-seed0"])
    for latent_dim in (8, 9):
        changed = make_job(seeds=1, configs={"a": {}, "b": {"model.latent_dim": latent_dim}})
        outcome = jobs.run(changed, fresh=True)
        assert [event.trial for event in jobs.of(Started)] == ["b-seed0"]
        assert [event.state.step for event in jobs.of(Progress)] == [1, 2, 3]
        assert outcome.states["a-seed0"] == before["a-seed0"]
        assert outcome.states["b-seed0"].attempts == 1
    assert jobs.job_dir.storage.list("aside") == ["b-seed0-1", "b-seed0-2"]
    first = jobs.job_dir.storage.read("aside/b-seed0-1/state.json")
    assert TrialState.model_validate_json(first) == before["b-seed0"]
