"""One trial from spec to artifacts."""

from __future__ import annotations

import dataclasses
import io
import re
import shutil
import threading
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from gandist import data
from gandist.artifacts import images, tables
from gandist.artifacts.job_dir import TrialDir
from gandist.artifacts.trial_state import TrialState
from gandist.errors import DataError
from gandist.spec.trial import TrialSpec
from gandist.training.trial import run_trial
from tests.training.conftest import tiny_trial
from tests.training.trials import SMALL, generated, losses, train, weights

pytestmark = pytest.mark.usefixtures("one_step_a_block")


@pytest.fixture(scope="module")
def whole(one_step_a_block: None, tmp_path_factory: pytest.TempPathFactory) -> TrialDir:
    """``SMALL`` trained in one attempt; tests read it."""
    return train(tiny_trial(**SMALL), tmp_path_factory.mktemp("whole"))


def test_a_trial_leaves_everything_that_the_job_directory_promises(whole: TrialDir) -> None:
    directory, state = whole, whole.read_state()
    assert (state.status, state.step, state.total_steps, state.attempts) == ("completed", 6, 6, 1)
    assert state.kimg == pytest.approx(0.048)
    assert losses(directory)["step"].to_pylist() == [1, 2, 3, 4, 5, 6]
    assert [step for step, _ in directory.samples()] == [0, 3, 6]
    assert [step for step, _ in directory.checkpoints()] == [6]
    assert images.decode_png(generated(directory)[0]).shape == (2 * (4 * 30 + 2), 2 * (4 * 30 + 2))
    assert directory.storage.exists(TrialDir.GIF)
    assert directory.storage.exists("trial.yaml")


def test_the_state_says_when_the_newest_checkpoint_was_finished(whole: TrialDir) -> None:
    state, (_, newest) = whole.read_state(), whole.checkpoints()[-1]
    written = Path(whole.storage.where(f"{newest}/manifest.json")).stat().st_mtime
    assert written <= state.checkpointed_at <= state.updated_at


def test_a_grid_of_real_images_has_the_layout_of_the_samples(whole: TrialDir) -> None:
    real = images.decode_png(whole.storage.read(TrialDir.REAL))
    digits = data.load(tiny_trial(**SMALL).data, None)
    np.testing.assert_array_equal(real, images.grid(digits.some(16), 4, 4, 2))


def test_the_exported_generator_is_plain_keras_and_makes_the_last_grid(whole: TrialDir) -> None:
    model = keras.models.load_model(whole.storage.where(TrialDir.GENERATOR))
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)
    from gandist.sampling.sampler import Sampler

    latents = Sampler(tiny_trial(**SMALL), (28, 28, 1)).latents(16)
    made = np.clip(np.rint((model(latents, training=False).numpy() + 1) * 127.5), 0, 255).astype(np.uint8)
    last = images.decode_png(generated(whole)[-1])
    np.testing.assert_array_equal(images.grid(made, 4, 4, 2), last)


@pytest.mark.parametrize("kill_after", [1, 3])
def test_a_killed_trial_ends_with_the_same_bits(tmp_path: Path, whole: TrialDir, kill_after: int) -> None:
    trial = tiny_trial(**SMALL)
    train(trial, tmp_path, kill_after=kill_after)
    resumed = train(trial, tmp_path)
    assert resumed.read_state().attempts == 2
    assert losses(resumed).equals(losses(whole))
    assert generated(resumed) == generated(whole)
    assert weights(resumed) == weights(whole)


def test_a_trial_says_what_its_time_went_to_in_all_attempts(tmp_path: Path) -> None:
    trial = tiny_trial(**SMALL)
    first = train(trial, tmp_path, kill_after=3).read_state().seconds
    seconds = train(trial, tmp_path).read_state().seconds
    phases = {"loading the data", "building the networks", "compiling", "training", "grids", "checkpoints"}
    assert phases | {"judging images by D", "exporting the generator"} <= seconds.keys()
    assert all(seconds[phase] > first[phase] for phase in phases & first.keys())


def test_a_stopped_trial_checkpoints_at_once_and_continues(tmp_path: Path, whole: TrialDir) -> None:
    trial = tiny_trial(**SMALL)
    stopped = train(trial, tmp_path, stop_after=3)
    assert (stopped.read_state().status, stopped.read_state().step) == ("stopped", 3)
    assert [step for step, _ in stopped.checkpoints()] == [2, 3], "a spare one for the next attempt"
    resumed = train(trial, tmp_path)
    assert losses(resumed).equals(losses(whole))
    assert weights(resumed) == weights(whole)


def test_checkpoints_of_a_version_that_hashed_otherwise_are_used(
    tmp_path: Path, whole: TrialDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = tiny_trial(**SMALL)
    with monkeypatch.context() as earlier:
        earlier.setattr(TrialSpec, "identity", lambda _: "0123456789abcdef")
        train(trial, tmp_path, stop_after=3)
    resumed = train(trial, tmp_path)
    assert resumed.read_state().notes == ()
    assert losses(resumed).equals(losses(whole))
    assert weights(resumed) == weights(whole)
    more = tiny_trial(**{**SMALL, "training": {"steps": 9, "generator_ema": 0.9}})
    assert train(more, tmp_path).read_state().notes == ()


def test_fewer_steps_than_were_trained_end_the_trial_where_it_stands_and_say_so(tmp_path: Path) -> None:
    train(tiny_trial(**SMALL), tmp_path, stop_after=4)
    shorter = tiny_trial(**{**SMALL, "training": {"steps": 3, "generator_ema": 0.9}})
    directory = train(shorter, tmp_path)
    state = directory.read_state()
    assert (state.status, state.step, state.total_steps) == ("completed", 4, 3)
    assert any("trained to step 4, further than the 3" in note for note in state.notes)
    assert losses(directory)["step"].to_pylist() == [1, 2, 3, 4]


def test_a_batch_larger_than_the_data_set_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = tiny_trial(**{**SMALL, "training": {"steps": 1}})
    few = data.load(trial.data, None)
    few = dataclasses.replace(few, images=few.images[:7], labels=few.labels[:7])
    monkeypatch.setattr(data, "load", lambda *_: few)
    notes = train(trial, tmp_path).read_state().notes
    assert "data.batch_size: 8 is more than the 7 images: a step sees some of them twice" in notes


def test_more_steps_continue_a_completed_trial(tmp_path: Path, whole: TrialDir) -> None:
    longer = tiny_trial(**{**SMALL, "training": {"steps": 9, "generator_ema": 0.9}})
    at_once = train(longer, tmp_path / "at once")
    shutil.copytree(Path(whole.storage.root).parents[1], tmp_path / "grown")
    grown = train(longer, tmp_path / "grown")
    assert losses(grown).equals(losses(at_once))
    assert weights(grown) == weights(at_once)


def test_a_trial_that_diverges_says_at_which_step_and_keeps_its_losses(tmp_path: Path) -> None:
    trial = tiny_trial(**{**SMALL, "optimizer": {"learning_rate": 1e30, "beta_1": 0.0}})
    directory = train(trial, tmp_path)
    state = directory.read_state()
    steps = losses(directory)["step"].to_pylist()
    assert state.status == "diverged"
    assert f"at step {steps[-1]}" in state.reason
    assert steps == list(range(1, len(steps) + 1))


def test_every_state_is_told(tmp_path: Path) -> None:
    told: list[TrialState] = list(run_trial(tiny_trial(), str(tmp_path), None, threading.Event()))
    states = [state for state in told if not state.activity]
    assert [state.step for state in states] == [1, 2, 3, 4, 5, 6, 6]
    assert [state.status for state in states] == ["running"] * 6 + ["completed"]


def test_resuming_on_other_replicas_is_allowed_and_noted(tmp_path: Path) -> None:
    trial = tiny_trial(**SMALL)
    train(tiny_trial(**SMALL, resources={"replicas": 2}), tmp_path, stop_after=3)
    state = train(trial, tmp_path).read_state()
    assert state.status == "completed"
    assert "no longer bit-exact" in state.notes[0]


def test_resuming_on_another_device_or_with_other_threads_is_noted(tmp_path: Path) -> None:
    directory = train(tiny_trial(**SMALL), tmp_path, stop_after=3)
    directory.write_state(directory.read_state().model_copy(update={"device": "Z80, 1 thread"}))
    [note] = train(tiny_trial(**SMALL), tmp_path).read_state().notes
    assert note.startswith("continued after step 3 on ")
    assert note.endswith("instead of Z80, 1 thread: may no longer be bit-exact")


def with_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = data.load(tiny_trial().data, None)
    split = dataclasses.replace(
        whole, images=whole.images[:1500], labels=whole.labels[:1500], held_out=whole.images[1500:]
    )
    monkeypatch.setattr(data, "load", lambda *_: split)


@pytest.mark.parametrize("held_out", [False, True])
def test_a_finished_trial_says_what_its_discriminator_thinks(
    tmp_path: Path, whole: TrialDir, monkeypatch: pytest.MonkeyPatch, held_out: bool
) -> None:
    directory = whole
    if held_out:
        with_held_out(monkeypatch)
        directory = train(tiny_trial(**SMALL), tmp_path)
    table = tables.decode(directory.storage.read(TrialDir.OUTPUTS), tables.OUTPUTS, "outputs")
    kinds, outputs = table["kind"].to_pylist(), table["output"].to_numpy()
    assert [kinds.count(kind) for kind in tables.OUTPUT_KINDS] == [1000, 297 * held_out, 1000]
    assert set(table["step"].to_pylist()) == {6}
    assert ((outputs > 0) & (outputs < 1)).all()
    assert len(np.unique(outputs)) > 100


def test_a_lazy_regularizer_is_null_where_it_is_not_used_and_no_divergence(tmp_path: Path) -> None:
    trial = tiny_trial(**SMALL, regularizers={"r1": {"gamma": 1.0, "every": 4}})
    directory = train(trial, tmp_path)
    assert directory.read_state().status == "completed"
    assert [value is not None for value in losses(directory)["r1"].to_pylist()] == [
        True,
        False,
        False,
        False,
        True,
        False,
    ]


def test_the_state_tells_which_figures_the_losses_have_before_any_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, ...]] = []
    write = TrialDir.write_losses
    monkeypatch.setattr(
        TrialDir, "write_losses", lambda it, rows: (told.append(it.read_state().figures), write(it, rows))
    )
    trial = tiny_trial(**SMALL, regularizers={"r1": {}, "path_length": {"every": 2}}, augmentation={})
    figures = ("ada_p", "d_loss_fake", "d_loss_real", "d_sign_real", "mean_path_length", "path_length", "r1")
    directory = train(trial, tmp_path)
    assert directory.read_state().figures == figures
    assert set(told) == {figures}
    assert losses(directory).schema.names == tables.losses_schema(figures).names[:-1]


def test_a_column_stands_only_where_something_is_logged_there(tmp_path: Path) -> None:
    directory = train(tiny_trial(**SMALL), tmp_path)
    assert directory.read_state().figures == ("d_loss_fake", "d_loss_real")
    paired = train(tiny_trial(**SMALL, loss={"name": "relativistic"}), tmp_path / "paired")
    assert paired.read_state().figures == ()
    assert losses(paired).schema.names == tables.LOSSES.names[:-1]


def test_all_grids_in_one_archive(tmp_path: Path) -> None:
    trial = tiny_trial(**{**SMALL, "samples": {"every_steps": 3, "archive": True}})
    directory = train(trial, tmp_path)
    with zipfile.ZipFile(io.BytesIO(directory.storage.read(TrialDir.ARCHIVE))) as archive:
        assert archive.namelist() == ["step-000000000.png", "step-000000003.png", "step-000000006.png"]
        assert [archive.read(name) for name in archive.namelist()] == generated(directory)


def test_grids_at_chosen_epochs_only(tmp_path: Path) -> None:
    trial = tiny_trial(**{**SMALL, "training": {"steps": 460}, "samples": {"at_epochs": [1, 2, 50]}})
    trial = trial.model_copy(update={"data": trial.data.model_copy(update={"batch_size": 256})})
    directory = train(trial, tmp_path, stop_after=16)
    assert [step for step, _ in directory.samples()] == [8, 15]  # of 1,797 images


def test_an_unstable_trial_ends_at_the_same_step_however_often_it_is_killed(tmp_path: Path) -> None:
    stopping = {"window": 4, "d_loss_below": 100.0}
    trial = tiny_trial(**{**SMALL, "training": {"steps": 20, "early_stopping": stopping}})
    whole = train(trial, tmp_path / "whole")
    train(trial, tmp_path / "killed", kill_after=3)
    resumed = train(trial, tmp_path / "killed")
    for directory in (whole, resumed):
        state = directory.read_state()
        assert (state.status, state.step) == ("unstable", 4)
        assert re.fullmatch(r"d_loss averaged \d\.\d+, below 100, over the 4 steps up to 4", state.reason)
        assert not directory.storage.exists(TrialDir.GENERATOR)
    assert losses(whole).equals(losses(resumed))
    assert losses(whole)["step"].to_pylist() == [1, 2, 3, 4]


def test_a_trial_goes_on_with_the_data_that_it_began_with_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = tiny_trial(**SMALL)
    directory = train(trial, tmp_path, stop_after=3)
    described = directory.read_dataset()
    assert described is not None
    assert (described.image_shape, described.images) == ((28, 28, 1), 1797)
    assert described.class_names == tuple("0123456789")
    before = directory.read_state()
    whole = data.load(trial.data, None)
    monkeypatch.setattr(data, "load", lambda *_: dataclasses.replace(whole, images=whole.images[::-1]))
    with pytest.raises(
        DataError, match=rf"not what {trial.id} was trained on: fingerprint {described.fingerprint} -> \w+;"
    ):
        train(trial, tmp_path)
    assert directory.read_state() == before
    assert directory.read_dataset() == described
