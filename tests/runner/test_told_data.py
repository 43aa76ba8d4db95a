"""What the trials on a cluster found in their data, told by a driver that may not have it."""

from __future__ import annotations

from pathlib import Path

from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.trial_state import DatasetDescription, TrialState
from gandist.runner.events import Finished, JobEvent, Notice, Progress, Started
from gandist.runner.run import ToldData
from gandist.spec.job import JobSpec, expand

JOB = {
    "name": "a",
    "data": {"name": "image_folder", "path": "shapes"},
    "model": {"name": "dcgan"},
    "training": {"steps": 3},
    "seeds": [0, 1],
}
FOUND = DatasetDescription(
    image_shape=(8, 8, 1),
    class_names=("cats",),
    images=3,
    fingerprint="x",
    summary="3 pictures 8x8x1, 1 class (cats: 3)",
    left_out=("shapes: left out 2 .heic",),
)


def told(events: list[JobEvent]) -> list[str]:
    return [event.text for event in events if isinstance(event, Notice)]


def test_each_data_set_is_told_once_when_a_trial_has_it(tmp_path: Path) -> None:
    job_dir, shown = JobDir(str(tmp_path)), list[JobEvent]()
    trials = expand(JobSpec.model_validate(JOB | {"sweep": {"data.crop": ["center", "none"]}})).trials
    first, second, third, fourth = (trial.id for trial in trials)
    show = ToldData(shown.append, job_dir, trials)
    show(Started(first))
    show(Progress(first, TrialState(status="running", activity="decoding pictures 1/3")))
    assert told(shown) == []
    for trial, changes in ((first, {}), (second, {}), (third, {"left_out": ()}), (fourth, {})):
        job_dir.trial(trial).write_dataset(FOUND.model_copy(update=changes))
    events = [Progress(first, TrialState(status="running", step=1)), Finished(second, TrialState(step=3))]
    for event in events:
        show(event)
    assert told(shown) == ["data: 3 pictures 8x8x1, 1 class (cats: 3)", "data: shapes: left out 2 .heic"]
    show(Progress(third, TrialState(status="running", step=1)))
    assert len(told(shown)) == 2  # the same lines again
    assert [event for event in shown if isinstance(event, Progress | Finished)][1:3] == events


def test_a_damaged_or_missing_description_is_no_matter(tmp_path: Path) -> None:
    job_dir, shown = JobDir(str(tmp_path)), list[JobEvent]()
    trials = expand(JobSpec.model_validate(JOB)).trials
    show = ToldData(shown.append, job_dir, trials)
    job_dir.trial(trials[0].id).storage.write("dataset.json", b"[]")
    for trial in trials:
        show(Progress(trial.id, TrialState(status="running", step=1)))
    assert told(shown) == []
