"""What a job has left, as hashes: equal for two runs of one job, whatever happened on the way."""

from __future__ import annotations

import hashlib
import io
import zipfile

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gandist.artifacts import images, tables
from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.report.merge import merge_losses


def fingerprint(job_dir: JobDir) -> dict[str, str]:
    """A hash, or a short text, for each thing that must be the same."""
    merged = merge_losses(job_dir)
    written = tables.decode_losses(job_dir.storage.read(JobDir.LOSSES), JobDir.LOSSES)
    found = {"losses.parquet": "as merged" if hash_table(written) == hash_table(merged) else "not as merged"}
    for name in job_dir.storage.list("trials"):
        trial = job_dir.trial(name)
        state = trial.read_state()
        found |= {
            f"{name} state": f"{state.status} {state.step}/{state.total_steps}",
            f"{name} losses": hash_table(merged.filter(pc.field("trial") == name)),
            f"{name} steps": steps(trial),
            f"{name} weights": hash_weights(trial.storage.read(TrialDir.GENERATOR)),
            f"{name} samples": hash_samples(trial),
        }
    return found


def differences(found: dict[str, str], expected: dict[str, str]) -> dict[str, tuple[str, str]]:
    """``(found, expected)`` of what is not equal."""
    names = sorted(found.keys() | expected.keys())
    pairs = {name: (found.get(name, "missing"), expected.get(name, "missing")) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def hash_table(table: pa.Table) -> str:
    """Of every value but the wall-clock time."""
    digest = hashlib.sha256()
    for column in table.drop(["wall_time"]).itercolumns():
        values = column.to_numpy()
        digest.update("\n".join(values).encode() if values.dtype == object else values.tobytes())
    return digest.hexdigest()


def hash_weights(keras_file: bytes) -> str:
    """Of the arrays in a ``.keras`` file and their names, without loading TensorFlow."""
    digest = hashlib.sha256()

    def add(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            digest.update(name.encode() + np.asarray(item).tobytes())

    with zipfile.ZipFile(io.BytesIO(keras_file)) as archive:
        content = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(content) as weights:
        weights.visititems(add)
    return digest.hexdigest()


def hash_samples(trial: TrialDir) -> str:
    """Of the pixels of all grids, and their steps."""
    digest = hashlib.sha256()
    for step, path in trial.samples():
        digest.update(f"{step} ".encode() + images.decode_png(trial.storage.read(path)).tobytes())
    return digest.hexdigest()


def steps(trial: TrialDir) -> str:
    """The steps in the parts as they lie there, before any merging: ``1..240`` where each stands once."""
    parts = [trial.storage.read(path) for _, _, path in trial.losses_parts()]
    rows = [tables.decode_losses(part, trial.id)["step"].to_numpy() for part in parts]
    found = np.concatenate(rows) if rows else np.empty(0, np.int64)
    if np.array_equal(found, np.arange(1, len(found) + 1)):
        return f"1..{len(found)}"
    return f"{len(found)} rows, not 1..{len(found)}: {np.setdiff1d(np.arange(1, found.max()), found)} missing"
