"""A trial's losses in pieces of bounded size, each step once. What cannot be used is left out, and told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from gandist.artifacts import tables
from gandist.artifacts.job_dir import TrialDir
from gandist.errors import StorageError

PIECE_STEPS = 2**15
"""Steps that are held at a time, unless a single part has more."""
MAX_PART = 256 * 2**20
"""Bytes of a part of the losses: half a minute's steps."""


@dataclass(frozen=True)
class Part:
    """A file of losses, and the steps that it holds by its name."""

    first: int
    last: int
    path: str


Piece = tuple[Part, ...]
"""Parts that are read together: all that share steps, in the order in which they count."""


def pieces(directory: TrialDir, names: Iterable[str] | None = None) -> list[Piece]:
    """All parts, in the order of their steps: no two pieces have a step in common.

    Args:
        directory: the trial's.
        names: of the files with its losses, where they are known.
    """
    found: list[list[Part]] = []
    last = -1
    for part in (Part(*listed) for listed in directory.losses_parts(names)):
        apart = part.first > last
        if not found or (apart and part.last - found[-1][0].first >= PIECE_STEPS):
            found.append([])
        found[-1].append(part)
        last = max(last, part.last)
    return [tuple(piece) for piece in found]


def read_piece(directory: TrialDir, piece: Piece) -> tuple[pa.Table, list[str]]:
    """Its rows, of a step in two parts the later one's, a table of losses; and what was left out."""
    kept, warnings = [], []
    for part in piece:
        rows, problem = _read(directory, part)
        if problem:
            warnings.append(f"{directory.id}: {part.path} {problem}: left out")
        else:
            kept.append(rows)
    together = pa.concat_tables(kept, promote_options="default") if kept else None
    return _each_step_once(together) if together else tables.LOSSES.empty_table(), warnings


def budget_at(directory: TrialDir, steps: Collection[int]) -> dict[int, tuple[float, float]]:
    """``(epoch, kimg)`` at some of a trial's steps, where their losses can be read."""
    found: dict[int, tuple[float, float]] = {}
    for rows in _holding(directory, steps):
        columns = (rows[name].to_numpy().tolist() for name in ("step", "epoch", "kimg"))
        found |= {step: (epoch, kimg) for step, epoch, kimg in zip(*columns, strict=True)}
    return found


def _holding(directory: TrialDir, steps: Collection[int]) -> Iterator[pa.Table]:
    try:
        found = pieces(directory)
    except StorageError:
        return
    for piece in found:
        if any(part.first <= step <= part.last for part in piece for step in steps):
            rows, _ = read_piece(directory, piece)
            yield rows.filter(pa.array(np.isin(rows["step"].to_numpy(), list(steps))))


def _read(directory: TrialDir, part: Part) -> tuple[pa.Table, str]:
    """Its rows, or what is wrong with it."""
    nothing = tables.LOSSES.empty_table()
    try:
        rows = tables.decode_losses(directory.storage.read(part.path, MAX_PART), part.path)
    except (StorageError, FileNotFoundError):
        return nothing, "is torn or is no table of losses"
    if not rows.num_rows:
        return nothing, "is empty"
    if rows["step"].null_count or rows["trial"].unique().to_pylist() != [directory.id]:
        return nothing, "has rows of another trial or without a step"
    steps = rows["step"].to_numpy()
    if steps.min() < part.first or steps.max() > part.last:
        return nothing, "has other steps than its name says"
    return rows, ""


def _each_step_once(rows: pa.Table) -> pa.Table:
    steps = rows["step"].to_numpy()
    if np.all(steps[1:] > steps[:-1]):
        return rows
    order = np.argsort(steps, kind="stable")  # stable: of equal steps the one written last stays last
    ordered = steps[order]
    return rows.take(order[np.append(ordered[1:] != ordered[:-1], True)])
