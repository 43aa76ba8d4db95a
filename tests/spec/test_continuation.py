"""What may change between a trial and its continuation, and how the rest is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.artifacts.trial_state import TrialState
from gandist.spec.continuation import continues, differences
from gandist.spec.job import JobSpec, expand
from gandist.spec.trial import TrialSpec

JOB: dict[str, Any] = {
    "name": "a-job",
    "data": {"name": "digits"},
    "model": {"name": "dcgan"},
    "training": {"epochs": 1},
}
FOLDER = {"name": "image_folder", "path": "/photos/cats"}


def trial(**sections: Any) -> TrialSpec:
    return expand(JobSpec.model_validate({**JOB, **sections})).trials[0]


def plain(of: TrialSpec) -> dict[str, Any]:
    """What ``trial.yaml`` holds."""
    return of.model_dump(mode="json")


@pytest.fixture
def directory(tmp_path: Path) -> TrialDir:
    return JobDir(str(tmp_path)).trial("base-seed0")


MAY_CHANGE: list[dict[str, Any]] = [
    {"samples": {"every_steps": 7, "rows": 2}},
    {"checkpoint": {"keep": 5}},
    {"evaluation": {"every_epochs": 2, "samples": 500}},
    {"resources": {"cpus": 1, "replicas": 2}},
    {"training": {"kimg": 2.5}},
    {"description": "words", "schedule": {"max_failures": 0}},
]
MAY_NOT: list[tuple[dict[str, Any], list[str]]] = [
    ({"optimizer": {"learning_rate": 0.5}}, ["optimizer.learning_rate: 0.0001 -> 0.5"]),
    ({"training": {"epochs": 2, "generator_ema": 0.9}}, ["training.generator_ema: None -> 0.9"]),
    (
        {"data": {"name": "digits", "batch_size": 8}, "model": {"name": "dcgan", "latent_dim": 7}},
        ["data.batch_size: 256 -> 8", "model.latent_dim: 100 -> 7"],
    ),
    (
        {"data": {**FOLDER, "crop": "none"}},
        [
            "data.name: digits -> image_folder",
            "data.image_size: (not set) -> 64",
            "data.channels: (not set) -> 3",
            "data.crop: (not set) -> none",
            "data.held_out: (not set) -> 0",
        ],
    ),
]


@pytest.mark.parametrize("changes", MAY_CHANGE)
@pytest.mark.parametrize("others", [changes for changes, _ in MAY_NOT])
def test_what_may_change_is_never_told_whatever_else_has_changed(
    changes: dict[str, Any], others: dict[str, Any]
) -> None:
    alone = trial(**changes)
    assert (differences(plain(trial()), alone), alone.identity()) == ([], trial().identity())
    both = trial(
        **{
            **changes,
            **others,
            "training": {
                **changes.get("training", JOB["training"]),
                **{name: value for name, value in others.get("training", {}).items() if name != "epochs"},
            },
        }
    )
    assert differences(plain(trial()), both) == next(lines for fields, lines in MAY_NOT if fields == others)
    assert both.identity() != trial().identity()


@pytest.mark.parametrize("path", ["/mnt/cats", "~/cats", "cats", "/photos/../photos/cats"])
def test_where_pictures_lie_is_not_what_they_are(path: str) -> None:
    before = trial(data=FOLDER)
    moved = trial(data={**FOLDER, "path": path, "max_unreadable": 0.5})
    assert (differences(plain(before), moved), moved.identity()) == ([], before.identity())
    smaller = trial(data={**FOLDER, "path": path, "image_size": 32})
    assert differences(plain(before), smaller) == ["data.image_size: 64 -> 32"]


def test_what_an_earlier_version_did_not_know_has_its_default() -> None:
    before = plain(trial())
    del before["training"]["n_critic"], before["loss"]["combine"]
    del before["regularizers"], before["constraints"], before["augmentation"]
    assert differences(before, trial()) == []
    alternating = {"epochs": 1, "update": "alternating", "n_critic": 2}
    assert "training.n_critic: 1 -> 2" in differences(before, trial(training=alternating))


def test_what_this_version_does_not_know_is_told_as_it_was_written() -> None:
    before = {**plain(trial()), "loss": {"name": "a", "old": 1}, "shuffling": {"name": "twice"}}
    lines = differences(before, trial())
    assert lines[:3] == [
        "loss.name: a -> non_saturating",
        "loss.old: 1 -> (not set)",
        "shuffling.name: twice -> (not set)",
    ]


PENALTIES: list[tuple[Any, dict[str, Any]]] = [
    (None, {}),
    ({"name": "r1", "gamma": 0.5, "every": 2}, {"regularizers": {"r1": {"gamma": 0.5, "every": 2}}}),
    ({"name": "gradient_penalty", "weight": 10.0}, {"regularizers": {"gradient_penalty": {"weight": 10.0}}}),
    ({"name": "weight_clipping", "limit": 0.05}, {"constraints": {"weight_clipping": {"limit": 0.05}}}),
]


def with_a_penalty(penalty: Any) -> dict[str, Any]:
    """What ``trial.yaml`` held when a penalty was a section of its own."""
    before = plain(trial())
    del before["regularizers"], before["constraints"], before["augmentation"]
    return {**before, "penalty": penalty}


@pytest.mark.parametrize(("penalty", "today"), PENALTIES)
def test_a_trial_with_a_penalty_goes_on_as_it_is_written_today(
    directory: TrialDir, penalty: Any, today: dict[str, Any]
) -> None:
    directory.write_trial(with_a_penalty(penalty))
    state = TrialState(step=3, identity="of-another-version")
    assert differences(with_a_penalty(penalty), trial(**today)) == []
    assert continues(trial(**today), state, directory)
    assert not continues(trial(**today, augmentation={"name": "ada"}), state, directory)
    for other, written in PENALTIES:
        assert continues(trial(**written), state, directory) == (other == penalty)


def test_another_penalty_is_told_under_today_s_name() -> None:
    before = with_a_penalty({"name": "r1", "gamma": 0.5, "every": 2})
    assert differences(before, trial(regularizers={"r1": {"gamma": 1.0, "every": 2}})) == [
        "regularizers.r1.gamma: 0.5 -> 1.0"
    ]
    assert differences(before, trial()) == [
        "regularizers.r1.every: 2 -> (not set)",
        "regularizers.r1.gamma: 0.5 -> (not set)",
    ]


def test_a_directory_of_an_earlier_version_goes_on_where_only_the_hash_is_another(
    directory: TrialDir,
) -> None:
    state = TrialState(step=3, identity="of-another-version")
    assert not continues(trial(), state, directory)  # nothing says what was trained
    directory.write_trial(plain(trial()))
    assert continues(trial(checkpoint={"keep": 9}), state, directory)
    assert not continues(trial(loss={"name": "hinge"}), state, directory)
