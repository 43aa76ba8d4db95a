"""``gandist evaluate``: rows without training, equal to those that the trial itself has written."""

from __future__ import annotations

import dataclasses
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gandist import data
from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.runner.lease import Lease
from gandist.spec.trial import TrialSpec
from tests.conftest import CommandLine
from tests.strangers import write_documents
from tests.training.conftest import tiny_trial
from tests.training.trials import SMALL, train

SELECTED = {"every_steps": 2, "samples": 100, "features": "pixels", "select": "frechet"}
ENDED = {"training": {**SMALL["training"], "generator_ema": 0.9}, "samples": {"every_steps": 100}}
TRIAL = tiny_trial(**{**SMALL, **ENDED, "checkpoint": {"every_steps": 2, "keep": 3}, "evaluation": SELECTED})


@pytest.fixture(scope="module")
def trained(devices: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A job of one trial with checkpoints at steps 2, 4 and 6."""
    root = tmp_path_factory.mktemp("jobs") / "job"
    train(TRIAL, root)
    listed = {"id": TRIAL.id, **TRIAL.model_dump(include={"config", "seed"})}
    write_documents(JobDir(str(root)), {"name": "job"}, {"job": "job", "trials": [listed]})
    return root


@pytest.fixture
def evaluate(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_line: CommandLine
) -> CommandLine:
    """Runs ``gandist evaluate job`` beside a copy of that job."""
    shutil.copytree(trained, tmp_path / "job")
    monkeypatch.chdir(tmp_path)
    return partial(command_line, "evaluate", "job")


def directory() -> TrialDir:
    return JobDir("job").trial(TRIAL.id)


def rows(path: str) -> list[dict[str, Any]]:
    found = directory().read_metrics(path)
    return [{name: row[name] for name in row if name != "wall_time"} for row in found]


def test_it_measures_what_the_trial_has_measured_to_the_last_bit(evaluate: CommandLine) -> None:
    own = [row for row in rows(TrialDir.METRICS) if row["split"] != "selection"]
    directory().storage.delete(TrialDir.METRICS)
    code, out, _ = evaluate("--checkpoint", "all")
    assert (code, len(out)) == (0, 4)
    assert out[0].startswith("base-seed0 at step 2: frechet ")
    assert out[-1] == "3 rows added; gandist report job shows them"
    assert [row["step"] for row in own] == [2, 4, 6]
    assert rows(TrialDir.EVALUATED) == own


def test_what_is_there_is_not_written_again_and_another_protocol_stands_beside_it(
    evaluate: CommandLine,
) -> None:
    before = rows(TrialDir.METRICS)
    assert evaluate()[1][0] == "base-seed0 at step 6: nothing that was not there"
    for added in (1, 0):
        assert evaluate("--samples", "150")[1][-1].startswith(f"{added} row")
    (row,) = rows(TrialDir.EVALUATED)
    assert (row["step"], row["samples"]) == (6, 150)
    assert rows(TrialDir.METRICS) == before


def test_the_best_checkpoint_is_the_one_that_was_selected(evaluate: CommandLine) -> None:
    best = directory().read_state().best_step
    assert evaluate("--checkpoint", "best", "--samples", "150")[0] == 0
    assert [row["step"] for row in rows(TrialDir.EVALUATED)] == [best]


def unselected() -> None:
    directory().write_state(directory().read_state().model_copy(update={"best_step": None}))


@pytest.mark.parametrize(
    ("arguments", "change", "line"),
    [
        ("--trial other", None, "--trial other: job has no such trial; it has base-seed0"),
        ("--metric none", None, 'evaluation.metrics.0: "none" is unknown; choose '),
        ("--samples 3", None, "evaluation.samples: 3 is out of range"),
        ("--features {a", None, "--features {a: "),
        ("--checkpoint best", unselected, "base-seed0: no best checkpoint; evaluation.select chooses it"),
        ("", lambda: directory().storage.delete("checkpoints"), "base-seed0: no checkpoint yet"),
        ("", lambda: directory().write_trial({"job": 1}), "job/trials/base-seed0/trial.yaml: "),
        (
            "",
            lambda: JobDir("job").storage.delete("manifest.json"),
            "job/manifest.json: no such file",
        ),
    ],
)
def test_what_cannot_be_evaluated_is_told_in_a_line_and_nothing_is_written(
    evaluate: CommandLine, arguments: str, change: Any, line: str
) -> None:
    if change:
        change()
    code, out, err = evaluate(*arguments.split())
    assert (code, out, len(err)) == (2, [], 1)
    assert err[0].startswith(line)
    assert not directory().storage.exists(TrialDir.EVALUATED)
    assert not JobDir("job").storage.exists(JobDir.DRIVER)


def test_not_while_the_job_is_run(evaluate: CommandLine) -> None:
    with Lease(JobDir("job").storage, print) as lease:
        lease.take()
        code, out, (line,) = evaluate()
    assert (code, out) == (1, [])
    assert line.startswith("job: this job is being run by ")


def test_only_with_the_data_that_it_was_trained_on(
    evaluate: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = data.load(TRIAL.data, None)
    monkeypatch.setattr(data, "load", lambda *_: dataclasses.replace(whole, images=whole.images[::-1]))
    code, _, (*_, line) = evaluate()
    assert (code, "not what base-seed0 was trained on: fingerprint " in line) == (1, True)


def test_a_damaged_checkpoint_is_told_in_a_line(evaluate: CommandLine) -> None:
    path = Path("job/trials/base-seed0/checkpoints/step-000000006/state.npz")
    path.write_bytes(path.read_bytes()[:-100])
    code, _, (*_, line) = evaluate("--samples", "150")
    assert (code, line.endswith("its state.npz is truncated or altered")) == (1, True)


def test_a_network_in_a_file_that_only_the_directory_names_is_not_opened() -> None:
    from gandist.errors import UsageError
    from gandist.features import FeatureOptions
    from gandist.sampling.kept import Asked

    class InAFile(FeatureOptions):
        path: str

    evaluation = TRIAL.evaluation
    assert evaluation is not None
    named = InAFile(name="file", path="net.keras")
    stranger: TrialSpec = TRIAL.model_copy(
        update={"evaluation": evaluation.model_copy(update={"features": named})}
    )
    with pytest.raises(UsageError, match=r"net\.keras, which a stranger may have written; give --features"):
        Asked().of(stranger)
    assert Asked(features="pixels").of(stranger).evaluation is not None
