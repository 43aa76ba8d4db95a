"""Reading a job file: what is accepted, and what it means. What is refused: ``test_malformed_jobs.py``."""

from __future__ import annotations

import copy
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gandist.errors import SpecError
from gandist.spec import yaml
from gandist.spec.job import Job, JobSpec
from gandist.spec.loading import load_job
from gandist.spec.overrides import leaves
from gandist.spec.schedules import Schedule
from gandist.spec.yaml import YamlError, parse

ROOT = Path(__file__).parents[2]
JOB = """\
name: a-job
data: {name: digits, batch_size: 64}
model: {name: dcgan, width: 8}
training: {epochs: 1}
"""


@pytest.fixture
def job_file(tmp_path: Path) -> Path:
    path = tmp_path / "job.yaml"
    path.write_text(JOB)
    return path


def load(path: Path, lines: str = "", *overrides: str) -> Job:
    path.write_text(JOB + lines)
    return load_job(path, overrides)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("2E-4", 2e-4),
        ("1e3", 1000),
        ("1.", 1),
        ("64.0", 64),
        ("-2.5e1", -25),
        ("1.5", 1.5),
        ("1e30", 1e30),
        (".5", 0.5),
        ("+7", 7),
        ("010", 10),
        ("-.inf", -math.inf),
        ("0..7", "0..7"),
        ("1:30", "1:30"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("2020-01-01", "2020-01-01"),
        ("yes", "yes"),
        ("No", "No"),
        ("on", "on"),
        ("off", "off"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ('"null"', "null"),
        ("|\n 1\n", "1\n"),
        ("9" * 5000, math.inf),
        ("{<<: {a: 1}}", {"<<": {"a": 1}}),
        ("[&x {a: 1}, *x]", [{"a": 1}, {"a": 1}]),
        ("%YAML 1.2\n---\na: 1\n...\n", {"a": 1}),
    ],
)
def test_yaml_1_2_scalars(text: str, value: Any) -> None:
    read = parse(text)
    assert read == value
    assert type(read) is type(value)


def test_nan_is_read_to_be_refused_where_it_stands() -> None:
    assert math.isnan(parse(".nan"))


def test_a_file_of_too_many_values_is_given_up_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "MAX_NODES", 1000)
    assert len(parse("[" + "a," * 999 + "]")) == 999
    with pytest.raises(YamlError, match="more than 1000 values; is this a job file"):
        parse("[" + "a," * 1000 + "]")


def test_a_byte_order_mark_is_no_part_of_the_name(job_file: Path) -> None:
    job_file.write_bytes(b"\xef\xbb\xbf" + JOB.encode())
    assert load_job(job_file).spec.name == "a-job"


@pytest.mark.parametrize(
    ("seeds", "expected"),
    [("7", (7,)), ("[3, 1]", (3, 1)), ("0..3", (0, 1, 2, 3)), ("5..5", (5,)), ("2147483647", (2147483647,))],
)
def test_seeds(job_file: Path, seeds: str, expected: tuple[int, ...]) -> None:
    assert load(job_file, f"seeds: {seeds}").spec.seeds == expected
    assert load(job_file, "", f"seeds={seeds}").spec.seeds == expected


def test_overrides_are_yaml_values(job_file: Path) -> None:
    job = load(
        job_file,
        "loss: {name: non_saturating, real_label: 0.9}\n",
        "optimizer.learning_rate=3e-4",
        "optimizer.beta_1 = 0.5",
        "resources={gpus: 0, cpus: 1}",
        "description=a = b",
    ).spec
    assert (job.optimizer.learning_rate, job.resources.gpus, job.resources.cpus) == (3e-4, 0, 1)
    assert job.optimizer.model_dump()["beta_1"] == 0.5
    assert job.loss.model_dump()["real_label"] == 0.9
    assert job.description == "a = b"


@pytest.mark.parametrize("given", ["epochs: 3", "steps: 3", "kimg: 3"])
def test_an_overriding_budget_replaces_the_file_s(job_file: Path, given: str) -> None:
    job_file.write_text(JOB.replace("epochs: 1", given))
    training = load_job(job_file, ["training.steps=7"]).spec.training
    assert (training.epochs, training.steps, training.kimg) == (None, 7, None)


@pytest.mark.parametrize(
    "lines", ["configs: {short: {training: {steps: 7}}}", "sweep: {training.steps: [7]}"]
)
def test_a_configuration_s_budget_replaces_the_job_s(job_file: Path, lines: str) -> None:
    (trial,) = load(job_file, lines).trials
    assert (trial.training.epochs, trial.training.steps) == (None, 7)


def test_a_sweep_may_be_nested_or_overridden(job_file: Path) -> None:
    job = load(job_file, "sweep: {model: {width: [1, 2]}, optimizer.beta_1: [0.5]}", "sweep.model.width=[4]")
    assert job.spec.sweep == {"model.width": [4], "optimizer.beta_1": [0.5]}


def test_a_section_with_a_default_needs_no_name(job_file: Path) -> None:
    job = load(job_file, "optimizer: {learning_rate: 1e-3}\nloss: {combine: mean}").spec
    assert (job.optimizer.name, job.optimizer.learning_rate) == ("adam", 1e-3)
    assert (job.loss.name, job.loss.combine) == ("non_saturating", "mean")


@pytest.mark.parametrize(
    "lines",
    [
        "optimizer: {learning_rate: 1e-3}\n"
        "configs: {a: {optimizer.learning_rate: {cosine: [2, 1], kimg: 5}}}",
        "optimizer: {learning_rate: {linear: [3, 2], steps: 5}}\n"
        "configs: {a: {optimizer: {learning_rate: {cosine: [2, 1], kimg: 5}}}}",
        "optimizer: {learning_rate: {cosine: [2, 1], steps: 9}}\n"
        "configs: {a: {optimizer.learning_rate.kimg: 5}}",
        "configs: {a: {}}\nsweep: {optimizer.learning_rate: [{cosine: [2, 1], kimg: 5}]}",
    ],
)
def test_a_configuration_may_set_a_schedule_in_place_of_a_number_or_of_another(
    job_file: Path, lines: str
) -> None:
    (trial,) = load(job_file, lines).trials
    assert trial.optimizer.learning_rate == Schedule(cosine=(2, 1), kimg=5)


def test_an_override_may_set_a_schedule_or_a_number_again(job_file: Path) -> None:
    lines = "optimizer: {learning_rate: 1e-3}"
    scheduled = load(job_file, lines, "optimizer.learning_rate={linear: [1, 2], steps: 3}")
    assert scheduled.spec.optimizer.learning_rate == Schedule(linear=(1, 2), steps=3)
    lines = "optimizer: {learning_rate: {linear: [1, 2], steps: 3}}"
    assert load(job_file, lines, "optimizer.learning_rate=2e-3").spec.optimizer.learning_rate == 2e-3


def test_a_configuration_may_add_and_leave_out_regularizers(job_file: Path) -> None:
    lines = """\
regularizers: {r1: {gamma: 1}}
configs:
  both: {regularizers.r2: {gamma: 2}}
  other: {regularizers: {r1: null, path_length: {}}}
  stronger: {regularizers: {r1: {gamma: 5}}}
"""
    trials = load(job_file, lines).trials
    used = [
        {name: options for name, options in trial.regularizers.model_dump().items() if options}
        for trial in trials
    ]
    assert [list(options) for options in used] == [["r1", "r2"], ["path_length"], ["r1"]]
    assert [options["r1"]["gamma"] for options in used if "r1" in options] == [1, 5]


def test_aliases_share_values(job_file: Path) -> None:
    job = load(job_file, "configs: {a: &a {model.width: 4}, b: *a}")
    assert [trial.id for trial in job.trials] == ["a-seed0", "b-seed0"]


PLACES = [path for path, _ in leaves(JobSpec.model_validate(parse(JOB)).model_dump(mode="json"))]
VALUES = ["null", "true", "3", "-1", ".nan", "1e999", "x", "[]", "[1, [x]]", "{}", "{name: [1]}", '"\\e\\N"']


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["", "configs.a.", "sweep."]),
    st.sampled_from(PLACES),
    st.sampled_from(["", ".x"]),
    st.sampled_from(VALUES),
)
def test_any_value_anywhere_is_a_job_or_a_line(
    job_file: Path, prefix: str, place: str, suffix: str, value: str
) -> None:
    try:
        assert load_job(job_file, [f"{prefix}{place}{suffix}={value}"]).trials
    except SpecError as error:
        assert all(line.isprintable() and "Input should" not in line for line in error.problems)  # noqa: PT017


def test_a_job_may_be_given_as_a_mapping_or_by_its_path_as_text(job_file: Path) -> None:
    sections = {**parse(JOB), "seeds": (0, 1), "sweep": {"model.width": [2, 4]}}
    before = copy.deepcopy(sections)
    overridden = ["seeds=0..2", "model.latent_dim=7"]
    job = load_job(sections, overridden)
    job_file.write_text(JOB + "sweep: {model.width: [2, 4]}")
    assert job == load_job(str(job_file), overridden) == load_job(job_file, overridden)
    assert len(job.trials) == 6
    assert sections == before
    with pytest.raises(SpecError, match=r"^job: model\.wide: unknown key"):
        load_job({**sections, "model": {"name": "dcgan", "wide": 3}})


def test_a_job_says_what_it_amounts_to(job_file: Path) -> None:
    job = load(job_file, "configs: {a: {}, b: {model.width: 4}}\nsweep: {model.latent_dim: [1, 2]}\nseeds: 4")
    assert str(job) == "a-job: 4 configurations x 1 seed = 4 trials"
    assert job.points["b,latent_dim=2"] == {"configs": "b", "model.latent_dim": 2}


def test_loading_a_job_imports_nothing_heavy(job_file: Path) -> None:
    code = """
import sys
import gandist.spec.loading, pathlib
gandist.spec.loading.load_job(pathlib.Path(sys.argv[1]), ["seeds=3"])
heavy = {"tensorflow", "keras", "ray", "matplotlib", "sklearn"} & set(sys.modules)
sys.exit(f"imported: {heavy}" if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", code, str(job_file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_may_be_left_out_has_its_choices_told_as_well() -> None:
    """And a name that nobody knows may be that of a plug-in's."""
    job = Path(__file__).parents[2] / "jobs" / "mnist_fast.yaml"
    with pytest.raises(SpecError, match=r'"ink" is unknown; choose conditional_accuracy, .* or prdc'):
        load_job(job, ["evaluation.select=ink"])
    with pytest.raises(SpecError, match=r"or wasserstein \(one of your own\? --plugin FILE\)"):
        load_job(job, ["loss.name=ink"])
