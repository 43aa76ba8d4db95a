"""Evaluations and the discriminator's outputs of one trial, whatever lies in their place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.report import reading, write_report
from gandist.report.merge import merge_job
from tests.report.sweep import PROTOCOL, STEPS, write_metrics, write_outputs

TRIAL = "slow-seed0"


@pytest.fixture
def trial(empty_job) -> TrialDir:
    """A trial with evaluations after every fifty of four hundred steps, and outputs."""
    directory = empty_job(("slow", 0)).trial(TRIAL)
    write_metrics(directory, "slow", 0, STEPS, end=20.0)
    write_outputs(directory, "slow", 0, STEPS)
    return directory


def metrics(steps: list[int], names: list[str], values: list[float], **changes: object) -> bytes:
    made = {
        "trial": TRIAL,
        "config": "slow",
        "seed": 0,
        "step": steps,
        "epoch": 0.0,
        "kimg": 0.0,
        "metric": names,
        "value": values,
        "error": None,
        "floor": None,
        "lower_is_better": True,
        "features": "pixels-0123",
        "split": "held_out",
        "samples": 1000,
        "weights": "live",
        "protocol": "one",
        "wall_time": 0.0,
    }
    return tables.encode({**made, **changes}, tables.METRICS)


def test_what_was_measured_afterwards_stands_with_what_the_trial_has_measured(trial):
    own, _ = reading.read_metrics(trial)
    trial.storage.write(TrialDir.EVALUATED, metrics([50, 400], ["kid", "frechet"], [1.0, 2.0]))
    rows, warnings = reading.read_metrics(trial)
    assert warnings == []
    assert rows.num_rows == own.num_rows + 2
    assert rows["step"].to_pylist() == sorted(rows["step"].to_pylist())
    assert {(400, "one", 2.0), (400, PROTOCOL, 20.0)} <= set(
        zip(*(rows[name].to_pylist() for name in ("step", "protocol", "value")), strict=True)
    )


def test_evaluations_and_outputs_are_read(trial):
    rows, warnings = reading.read_metrics(trial)
    outputs, more = reading.read_outputs(trial)

    assert rows.schema == tables.METRICS
    assert rows["step"].to_pylist() == np.repeat(np.arange(50, 401, 50), 2).tolist()
    assert rows["metric"].to_pylist() == ["frechet", "recall"] * 8
    assert rows["protocol"].unique().to_pylist() == [PROTOCOL]
    assert {kind: values.size for kind, values in outputs.items()} == {
        "real": 1000,
        "held_out": 0,
        "generated": 1000,
    }
    assert outputs["real"].mean() > outputs["generated"].mean()
    assert warnings == more == []


def test_a_trial_without_either_has_none_and_no_warning(empty_job):
    directory = empty_job(("slow", 0)).trial(TRIAL)

    assert reading.read_metrics(directory) == (tables.METRICS.empty_table(), [])
    outputs, warnings = reading.read_outputs(directory)
    assert [values.size for values in outputs.values()] == [0, 0, 0]
    assert warnings == []


def test_each_evaluation_counts_once_the_later_row_and_stands_by_step(trial):
    content = metrics([20, 10, 10, 10, 20], ["z", "z", "a", "z", "a"], [1.0, 2.0, 3.0, 4.0, 5.0])
    trial.storage.write(TrialDir.METRICS, content)

    rows, _ = reading.read_metrics(trial)

    found = [(row["step"], row["metric"], row["value"]) for row in rows.to_pylist()]
    assert found == [(10, "z", 4.0), (10, "a", 3.0), (20, "z", 1.0), (20, "a", 5.0)]


def test_a_metric_that_an_earlier_version_called_otherwise_has_one_series(trial):
    names = ["fd_pixels", "recall", "frechet", "recall", "frechet"]
    trial.storage.write(
        TrialDir.METRICS, metrics([10, 10, 20, 20, 30], names, [1.0, 9.0, 2.0, 9.0, 3.0], features=None)
    )

    rows, _ = reading.read_metrics(trial)

    series = reading.evaluations(rows).values
    assert [(name, it.values.tolist()) for (name, _, _), it in series.items()] == [
        ("frechet", [1.0, 2.0, 3.0]),
        ("recall", [9.0, 9.0]),
    ]


def test_values_of_two_protocols_are_two_evaluations(trial):
    trial.storage.write(TrialDir.METRICS, metrics([10, 10], ["a", "a"], [1.0, 2.0], protocol=["one", "two"]))

    assert reading.read_metrics(trial)[0]["value"].to_pylist() == [1.0, 2.0]


def bad_text() -> bytes:
    """A table whose text is no text."""
    text = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(np.int32([0, 1])), pa.py_buffer(b"\xff")]
    )
    whole = pa.table({name: pa.nulls(1, field.type) for name, field in zip(*columns(), strict=True)})
    place = whole.schema.get_field_index("metric")
    return tables.encode_table(whole.set_column(place, "metric", text))


def columns() -> tuple[list[str], list[pa.Field]]:
    return tables.METRICS.names, list(tables.METRICS)


ONE = ([10], ["a"], [1.0])
DAMAGES: dict[str, tuple[Callable[[], bytes | None], str]] = {
    "torn": (lambda: None, "is torn"),
    "no bytes": (lambda: b"", "is torn"),
    "text": (lambda: b"step,value\n1,2", "is torn"),
    "another table": (lambda: tables.encode_table(tables.TRIALS.empty_table()), "is no table of"),
    "another trial": (lambda: metrics(*ONE, trial="slow-seed1"), "has rows of another trial"),
    "no trial": (lambda: metrics(*ONE, trial=[None]), "has rows of another trial"),
    "no metric": (lambda: metrics([10], [None], [1.0]), "has rows without"),
    "no step": (lambda: metrics([None], ["a"], [1.0]), "has rows without"),
    "no direction": (lambda: metrics(*ONE, lower_is_better=[None]), "has rows without"),
    "no protocol": (lambda: metrics(*ONE, protocol=[None]), "has rows without"),
    "bytes for text": (bad_text, "is torn"),
    "long text": (lambda: metrics(*ONE, protocol=["x" * (reading.MAX_BYTES + 1)]), "is too large"),
}


@pytest.mark.parametrize(("damage", "says"), DAMAGES.values(), ids=DAMAGES)
def test_evaluations_that_cannot_be_used_are_left_out_and_named(trial, damage, says):
    torn = trial.storage.read(TrialDir.METRICS)[:-40]
    content = damage()
    trial.storage.write(TrialDir.METRICS, torn if content is None else content)

    rows, [warning] = reading.read_metrics(trial)

    assert rows == tables.METRICS.empty_table()
    assert warning.startswith("slow-seed0: metrics.parquet ")
    assert says in warning
    assert warning.endswith("left out")


@pytest.mark.parametrize("where", ["pyarrow.parquet.ParquetFile", "pyarrow.parquet.ParquetFile.read"])
def test_names_that_are_no_text_are_no_exception(trial, monkeypatch, where):
    """Damage to a footer can make pyarrow raise this; seen once, by the fuzzing below."""

    def raises(*_: object, **__: object) -> None:
        b"\xff".decode()

    monkeypatch.setattr(where, raises)
    assert reading.read_metrics(trial)[1] == [
        "slow-seed0: metrics.parquet is torn or is no table of metrics: left out"
    ]


def test_a_table_with_more_rows_than_memory_is_left_out(trial):
    many = reading.MAX_BYTES // tables.ROW + 1
    content = metrics([1] * many, ["a"] * many, [1.0] * many)
    assert len(content) < reading.MAX_BYTES // 100
    trial.storage.write(TrialDir.METRICS, content)

    assert reading.read_metrics(trial) == (
        tables.METRICS.empty_table(),
        ["slow-seed0: metrics.parquet is too large: left out"],
    )


@pytest.mark.parametrize("damage", ["torn", "another trial", "no kind", "a directory"])
def test_outputs_that_cannot_be_used_are_left_out_and_named(trial, damage):
    whole = trial.storage.read(TrialDir.OUTPUTS)
    trial.storage.delete(TrialDir.OUTPUTS)
    if damage == "torn":
        trial.storage.write(TrialDir.OUTPUTS, whole[:-40])
    elif damage == "a directory":
        trial.storage.write(f"{TrialDir.OUTPUTS}/file", b"")
    else:
        changes = {"another trial": {"trial": "fast-seed0"}, "no kind": {"kind": [None] * 2000}}[damage]
        write_outputs(trial, "slow", 0, STEPS, **changes)

    outputs, [warning] = reading.read_outputs(trial)

    assert [values.size for values in outputs.values()] == [0, 0, 0]
    assert warning.startswith("slow-seed0: outputs.parquet ")
    assert warning.endswith("left out")


def test_outputs_that_are_not_finite_or_of_no_known_kind_do_not_count(trial):
    kind = ["real", "generated", "dreamt", "real"] * 500
    output = [0.5, np.nan, 0.5, np.inf] * 500
    write_outputs(trial, "slow", 0, STEPS, kind=kind, output=output)

    outputs, _ = reading.read_outputs(trial)

    assert {name: values.size for name, values in outputs.items()} == {
        "real": 500,
        "held_out": 0,
        "generated": 0,
    }


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(min_size=1, max_size=200), where=st.integers(0, 2**32))
def test_no_damage_to_a_file_is_an_exception(trial, noise, where):
    for path, read in ((TrialDir.METRICS, reading.read_metrics), (TrialDir.OUTPUTS, reading.read_outputs)):
        whole = trial.storage.read(path)
        content = bytearray(whole)
        at = where % len(content)
        content[at : at + len(noise)] = noise
        trial.storage.write(path, bytes(content))
        read(trial)
        trial.storage.write(path, whole)


def test_a_job_has_them_by_the_order_of_its_trials(empty_job):
    job_dir = empty_job(("slow", 1), ("slow", 0))
    for seed in (0, 1):
        write_metrics(job_dir.trial(f"slow-seed{seed}"), "slow", seed, 100, end=20.0)
    job_dir.trial("slow-seed0").storage.write(TrialDir.OUTPUTS, b"")

    merged = merge_job(job_dir)

    assert merged.metrics.schema == tables.METRICS
    assert merged.metrics["trial"].to_pylist() == ["slow-seed1"] * 4 + ["slow-seed0"] * 4
    assert merged.warnings == ("slow-seed0: outputs.parquet is torn or is no table of outputs: left out",)
    write_report(job_dir)
    written = tables.decode(job_dir.storage.read(JobDir.METRICS), tables.METRICS, JobDir.METRICS)
    assert written == merged.metrics
