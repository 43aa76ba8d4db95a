"""What comes in by the one door, and that what gandist writes does."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gandist.artifacts import documents
from gandist.artifacts.documents import DocumentError, parse_json, parse_yaml
from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.artifacts.manifest import ListedTrial, Manifest
from gandist.artifacts.trial_state import DatasetDescription, TrialState
from gandist.spec import yaml

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._=,+-]{0,30}", fullmatch=True)
anything = st.text(max_size=30)  # lone surrogates and control characters, too
amounts = st.floats(0, 1e30)
losses = st.none() | st.floats(-1e38, 1e38)
counts = st.integers(0, 2**63 - 1)
states = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["queued", "running", "completed", "stopped", "diverged", "failed"]),
        "budget": st.sampled_from(["", '{"steps":3}', '{"kimg":1.5}']),
        "notes": st.lists(anything, max_size=3),
    }
    | dict.fromkeys(("reason", "device", "host", "identity", "activity"), anything)
    | dict.fromkeys(("attempts", "step", "total_steps", "replicas"), counts)
    | dict.fromkeys(("kimg", "train_s", "images_per_s", "compile_s"), amounts)
    | dict.fromkeys(("d_loss", "g_loss"), losses)
    | {name: st.floats(0, 1e11) for name in ("started_at", "updated_at")}
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(-1e300, 1e300) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def trial(tmp_path: Path) -> TrialDir:
    return JobDir(str(tmp_path)).trial("base-seed0")


@quick
@given(changes=states)
def test_a_state_comes_back_as_it_was_written(trial: TrialDir, changes: dict[str, Any]) -> None:
    """A copy with changes is what a trial writes; nothing has looked at those."""
    notes = tuple(changes.pop("notes"))
    trial.write_state(TrialState().model_copy(update={**changes, "notes": notes}))
    read = trial.read_state()
    assert read == TrialState.model_validate({**changes, "notes": notes})
    assert all(text.isprintable() for text in (read.reason, read.device, read.host, *read.notes))


@quick
@given(classes=st.lists(anything, max_size=5), side=st.integers(1, 1024))
def test_a_description_of_data_comes_back_as_it_was_written(
    trial: TrialDir, classes: list[str], side: int
) -> None:
    shape = (side, side, 3)
    written = DatasetDescription(image_shape=shape, class_names=tuple(classes), images=1, fingerprint="x")
    trial.write_dataset(written)
    assert trial.read_dataset() == written


@quick
@given(job=names, configs=st.dictionaries(names, st.dictionaries(names, values, max_size=3), max_size=3))
def test_a_manifest_and_a_job_come_back_as_they_were_written(
    tmp_path: Path, job: str, configs: dict[str, Any]
) -> None:
    job_dir = JobDir(str(tmp_path))
    trials = tuple(ListedTrial(id=f"{config}-seed0", config=config, seed=0) for config in configs)
    written = Manifest(job=job, versions={"keras": None, "ray": "2.60"}, configs=configs, trials=trials)
    job_dir.write_job({"name": job, "configs": configs}, written)
    assert job_dir.read_manifest() == written
    assert job_dir.read_job() == {"name": job, "configs": configs}


@given(text=st.text(alphabet="0123456789+-._eExoinfaNy:~ntul #'\"!&*@%?,[]{}|>=<\n", max_size=8))
def test_text_that_reads_like_something_else_comes_back_from_yaml(text: str) -> None:
    document = {"value": text, "list": [text], text or "none": 1}
    assert yaml.parse(yaml.dump(document)) == document


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (f'{{"a": {"9" * 4000}}}', {"a": math.inf}),
        ('{"a": 9223372036854775807}', {"a": 2**63 - 1}),
        ('{"\\u001b[31m": "\\u202ex\\n"}', {"\\x1b[31m": "\\u202ex\n"}),
    ],
)
def test_numbers_fit_and_text_is_printable(content: str, read: Any) -> None:
    assert parse_json(content.encode()) == read


@pytest.mark.parametrize(
    "content",
    ["{", "", '"\\ud800"', "[" * 10**5, "[" * 60 + "]" * 60, '{"a":' * 10**5, "9" * 5000, "[1]\n[2]", "\x00"],
)
def test_what_is_no_json_is_told_in_a_line(content: str) -> None:
    with pytest.raises(DocumentError) as told:
        parse_json(content.encode())
    assert str(told.value).isprintable()


@pytest.mark.parametrize(
    "content",
    [
        b"\xff",
        b"[" * 10**5,
        b"a: !!set {}",
        b"a: 1\na: 2",
        b" " * (documents.MAX_YAML_BYTES + 1),
        b"- 1\n--- 2",
    ],
)
def test_what_is_no_yaml_is_told_in_a_line(content: bytes) -> None:
    with pytest.raises(DocumentError) as told:
        parse_yaml(content)
    assert str(told.value).isprintable()


def test_more_values_than_memory_is_for_are_refused() -> None:
    with pytest.raises(DocumentError, match="1,000,000 values"):
        parse_json(b"[" + b"[]," * documents.MAX_VALUES + b"[]]")


def test_of_a_manifest_what_is_not_right_is_left_out_and_what_is_right_stays() -> None:
    good = {"id": "a-seed0", "config": "a", "seed": 0}
    odd = [good, {"id": 3}, good, {**good, "id": "../x"}, {**good, "id": "b", "seed": True}, None]
    read = Manifest.model_validate({"job": "a", "created_at": 1e300, "versions": [1], "trials": odd})
    assert (read.job, read.created_at, read.versions) == ("a", None, {})
    assert [trial.id for trial in read.trials] == ["a-seed0"]
    assert [problem.split(" is ")[0] for problem in read.problems] == [
        "trials[1]", "a-seed0", "trials[3]", "trials[4]", "trials[5]",
    ]  # fmt: skip
