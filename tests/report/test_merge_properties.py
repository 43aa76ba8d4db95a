"""However losses were cut into files, and whatever lies among them: each step once, in order."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from gandist.artifacts import tables
from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.report.merge import merge_job, merge_losses
from tests.report.conftest import SCHEMA, make_job, rows

TRIAL = "slow-seed0"
LAST = 60

quick = settings(max_examples=50, deadline=None)  # the first example pays for imports

spans = st.tuples(st.integers(1, LAST), st.integers(0, 20)).map(lambda span: (span[0], sum(span)))
damages = st.sampled_from(["torn", "noise", "nothing", "foreign schema", "foreign trial", "no step"])


@dataclass(frozen=True)
class Part:
    """Rows of ``first`` to ``last``; with ``damage``, a file that is none of this trial's parts."""

    first: int
    last: int
    damage: str | None = None
    empty: bool = False

    @property
    def path(self) -> str:
        return f"{TrialDir.LOSSES}/part-{self.first:09d}-{self.last:09d}.parquet"

    @property
    def steps(self) -> range:
        return range(0) if self.damage or self.empty else range(self.first, self.last + 1)

    def content(self, mark: float) -> bytes:
        """``mark`` stands in ``d_loss``, to tell which part a row of the merge came from."""
        if self.damage in ("noise", "nothing"):
            return b"not Parquet" if self.damage == "noise" else b""
        if self.damage == "foreign schema":
            return tables.encode_table(tables.TRIALS.empty_table())
        owner = {"trial": "slow-seed1"} if self.damage == "foreign trial" else {}
        made = rows("slow", 0, self.first, self.last, d_loss=mark, **owner)
        if self.damage == "no step":
            made = {**made, "step": [None] * (self.last - self.first + 1)}
        content = tables.encode(made, SCHEMA)
        if self.empty:
            return tables.encode_table(SCHEMA.empty_table())
        return content[: len(content) * 2 // 3] if self.damage == "torn" else content


def distinct(parts: list[Part]) -> list[Part]:
    """In the order in which they are read; of two files of one name the later is there."""
    by_path = {part.path: part for part in parts}
    return sorted(by_path.values(), key=lambda part: (part.first, part.last))


sound = st.builds(lambda span: Part(*span), spans)
spoilt = st.builds(lambda span, damage: Part(*span, damage), spans, damages)
hollow = st.builds(lambda span: Part(*span, empty=True), spans)
anything = st.lists(st.one_of(sound, sound, spoilt, hollow), max_size=12).map(distinct)


def merge(parts: list[Part]) -> tuple[pa.Table, tuple[str, ...]]:
    """The merged losses, and the warnings."""
    with tempfile.TemporaryDirectory() as folder:
        job_dir: JobDir = make_job(Path(folder), ("slow", 0))
        trial = job_dir.trial(TRIAL)
        for mark, part in enumerate(parts):
            trial.storage.write(part.path, part.content(float(mark)))
        return merge_losses(job_dir), merge_job(job_dir).warnings


@quick
@given(anything)
def test_each_step_stands_once_and_in_order(parts: list[Part]) -> None:
    steps = merge(parts)[0]["step"].to_pylist()
    assert steps == sorted({step for part in parts for step in part.steps})


@quick
@given(anything)
def test_of_a_step_in_several_parts_the_last_part_counts(parts: list[Part]) -> None:
    merged, _ = merge(parts)
    origin = {step: float(mark) for mark, part in enumerate(parts) for step in part.steps}
    assert dict(zip(merged["step"].to_pylist(), merged["d_loss"].to_pylist(), strict=True)) == origin


@quick
@given(anything)
def test_what_cannot_be_used_and_what_is_missing_is_told(parts: list[Part]) -> None:
    losses, warnings = merge(parts)
    told = [warning for warning in warnings if warning.endswith("left out")]
    assert [warning.split()[1] for warning in told] == [
        part.path for part in parts if part.damage or part.empty
    ]
    gaps = [warning for warning in warnings if warning.endswith("are missing")]
    steps = losses["step"].to_pylist()
    assert len(gaps) == (steps != list(range(1, len(steps) + 1)))
    assert len(told) + len(gaps) == len(warnings)


@quick
@given(st.lists(st.integers(1, LAST - 1), unique=True, max_size=10))
def test_any_cut_of_whole_losses_gives_them_back(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), LAST]
    losses, warnings = merge([Part(first + 1, last) for first, last in pairwise(edges)])
    assert losses["step"].to_pylist() == list(range(1, LAST + 1))
    assert warnings == ()


@quick
@given(st.binary(max_size=200), st.integers(0, 2**32))
def test_no_damage_to_a_file_is_an_exception(noise: bytes, where: int) -> None:
    content = bytearray(tables.encode(rows("slow", 0, 1, 20), SCHEMA))
    at = where % len(content)
    content[at : at + len(noise)] = noise
    with tempfile.TemporaryDirectory() as folder:
        job_dir = make_job(Path(folder), ("slow", 0))
        job_dir.trial(TRIAL).storage.write(Part(1, 20).path, bytes(content))
        steps = merge_losses(job_dir)["step"].to_numpy()
    assert np.all(steps[1:] > steps[:-1])


@quick
@given(st.permutations(range(1, 21)))
def test_rows_in_disorder_within_a_part_are_put_in_order(steps: list[int]) -> None:
    made = {**rows("slow", 0, 1, 20), "step": steps}
    with tempfile.TemporaryDirectory() as folder:
        job_dir = make_job(Path(folder), ("slow", 0))
        job_dir.trial(TRIAL).storage.write(Part(1, 20).path, tables.encode(made, SCHEMA))
        assert merge_losses(job_dir)["step"].to_pylist() == list(range(1, 21))
