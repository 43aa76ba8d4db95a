"""Checkpoints that can be trusted: whole or not at all, verified before use, no pickle.

A checkpoint is a directory: ``state.npz`` and, written last, ``manifest.json`` with the checksum of it.
Without a manifest a checkpoint does not exist; with one that does not fit it is reported and the one before
is used. A finished one is never touched again, until ``keep`` newer ones are finished; the best one stays.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from gandist.activity import Activity, Tell, silent
from gandist.artifacts import documents
from gandist.artifacts.documents import Count, Line
from gandist.artifacts.job_dir import TrialDir
from gandist.errors import CheckpointError, NotAFileError

State = dict[str, np.ndarray]

_ARRAYS, _MANIFEST = "state.npz", TrialDir.CHECKPOINT_MANIFEST
_FORMAT = 1


class _Checksums(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    arrays: str = Field(alias=_ARRAYS)


class _Manifest(BaseModel):
    """What vouches for a checkpoint's file."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Count
    identity: Line
    replicas: Count
    sha256: _Checksums


@dataclass(frozen=True)
class Restored:
    """What ``restore_newest`` found."""

    state: State | None = None
    replicas: int = 0
    notes: list[str] = field(default_factory=list)
    """One line for each checkpoint that could not be used."""
    unusable: tuple[str, ...] = ()
    """Their paths."""


def save(
    directory: TrialDir, state: State, identity: str, replicas: int, keep: int, best: int | None = None
) -> None:
    """Write a checkpoint and delete all but the newest ``keep`` and the best one.

    Args:
        directory: the trial's.
        state: what ``Trainer.state`` gave.
        identity: ``TrialSpec.identity()``.
        replicas: of the strategy: the bits of a continuation depend on it.
        keep: how many checkpoints remain.
        best: the step of one that remains besides.

    Raises:
        StorageError: the storage refused.
    """
    path = directory.checkpoint_path(int(state["step"]))
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **state)
    content = buffer.getvalue()
    manifest = {
        "format": _FORMAT,
        "identity": identity,
        "replicas": replicas,
        "sha256": {_ARRAYS: hashlib.sha256(content).hexdigest()},
    }
    if not _is_there(directory, path, identity, manifest):
        directory.delete_checkpoint(path)  # what an earlier attempt has left, whatever that is
        directory.storage.write(f"{path}/{_ARRAYS}", content)
        directory.storage.write(f"{path}/{_MANIFEST}", f"{json.dumps(manifest, indent=1)}\n".encode())
    tidy(directory, int(state["step"]), keep, best)


def _is_there(directory: TrialDir, path: str, identity: str, manifest: dict[str, Any]) -> bool:
    """Whether the very same checkpoint is finished: another process of this trial was here before."""
    try:
        return load(directory, path, identity)[1] == manifest
    except (FileNotFoundError, CheckpointError):
        return False


def tidy(directory: TrialDir, step: int, keep: int, best: int | None = None) -> None:
    """Delete all but the newest ``keep`` checkpoints up to ``step`` and the one of step ``best``, and those
    before it that are unfinished.

    Raises:
        StorageError: the storage refused.
    """
    delete_unfinished(directory, before=step)
    # Later ones are an earlier attempt's that could not be used: they must not count as the newest.
    for at, old in [found for found in directory.checkpoints() if found[0] <= step][:-keep]:
        if at != best:
            directory.delete_checkpoint(old)


def disown(directory: TrialDir, unusable: tuple[str, ...]) -> None:
    """Make unfinished ones of checkpoints that cannot be used: they must not count among those to keep.

    Raises:
        StorageError: the storage refused.
    """
    for path in unusable:
        directory.storage.delete(f"{path}/{_MANIFEST}")


def delete_unfinished(directory: TrialDir, before: int) -> None:
    """Delete the checkpoints of steps before ``before`` that have no manifest: nobody will finish them.

    Raises:
        StorageError: the storage refused.
    """
    for step, path in directory.checkpoints():
        if step < before and not directory.has_checkpoint(path):
            directory.delete_checkpoint(path)


def load(directory: TrialDir, path: str, identity: str) -> tuple[State, dict[str, Any]]:
    """The state in a checkpoint, verified, and its manifest.

    Raises:
        FileNotFoundError: it has no manifest: it was never finished.
        CheckpointError: it is truncated, altered, or of another trial.
    """
    where = directory.storage.where(path)
    try:
        described = directory.storage.read(f"{path}/{_MANIFEST}", documents.MAX_BYTES)
        manifest = documents.read_json(_Manifest, described)
    except (documents.DocumentError, NotAFileError) as error:
        raise CheckpointError(f"{where}: its {_MANIFEST} is damaged") from error
    if manifest.format != _FORMAT:
        raise CheckpointError(f"{where}: format {manifest.format}, this gandist reads {_FORMAT}")
    if manifest.identity != identity:
        raise CheckpointError(f"{where}: it belongs to a trial with other settings")
    try:
        content = directory.storage.read(f"{path}/{_ARRAYS}")
    except FileNotFoundError as error:
        raise CheckpointError(f"{where}: its {_ARRAYS} is missing") from error
    except NotAFileError as error:
        raise CheckpointError(str(error)) from error
    if hashlib.sha256(content).hexdigest() != manifest.sha256.arrays:
        raise CheckpointError(f"{where}: its {_ARRAYS} is truncated or altered")
    try:
        return _arrays(content), manifest.model_dump(by_alias=True)
    except Exception as error:  # there is no end to what zipfile and NumPy make of a stranger's file
        raise CheckpointError(f"{where}: its {_ARRAYS} cannot be read") from error


def _arrays(content: bytes) -> State:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            raise ValueError("compressed, as no checkpoint is: it could be unpacked to any size")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)


def restore_newest(directory: TrialDir, identity: str, tell: Tell = silent) -> Restored:
    """The newest checkpoint that can be trusted; ``state`` is None where there is none."""
    notes: list[str] = []
    unusable: list[str] = []
    for step, path in reversed(directory.checkpoints()):
        tell(Activity(f"reading the checkpoint of step {step:,}"))
        try:
            state, manifest = load(directory, path, identity)
        except FileNotFoundError:
            continue  # the process died while it was written: nothing was lost
        except CheckpointError as error:
            notes.append(f"not used: {error}")
            unusable.append(path)
            continue
        return Restored(state, int(manifest["replicas"]), notes, tuple(unusable))
    return Restored(notes=notes, unusable=tuple(unusable))
