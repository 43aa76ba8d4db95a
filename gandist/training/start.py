"""What an attempt at a trial begins with: the data, and what earlier attempts have left."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from gandist import data, threads
from gandist.activity import Activity, Tell
from gandist.artifacts.job_dir import TrialDir
from gandist.artifacts.trial_state import DatasetDescription, TrialState
from gandist.artifacts.writer import Writer
from gandist.errors import DataError
from gandist.printable import printable
from gandist.spec import notices
from gandist.spec.budget import Budget
from gandist.spec.continuation import continues
from gandist.spec.trial import TrialSpec
from gandist.training import checkpoint, hardware, salvage
from gandist.training.standing import WRITING, Standing


class Start:
    """Reads what there is; changes nothing.

    Attributes:
        identity: the name that the trial's checkpoints bear.
        restored: the newest checkpoint that can be trusted.

    Args:
        trial: what to train.
        directory: the trial's.
        before: how it stood when the attempt began.
        tell: told of what is read.

    Raises:
        StorageError: the storage refused.
    """

    def __init__(self, trial: TrialSpec, directory: TrialDir, before: TrialState, tell: Tell) -> None:
        self._trial, self._directory = trial, directory
        # What was trained keeps its name, whatever version has given it.
        named = before.step > 0 and before.identity != "" and continues(trial, before, directory)
        self.identity = before.identity if named else trial.identity()
        self.restored = checkpoint.restore_newest(directory, self.identity, tell)
        step = int(self.restored.state["step"]) if self.restored.state else 0
        self._goes_on = before.step > 0 or self.restored.state is not None
        self._damaged = salvage.find(directory, step, tell)

    def set_damaged_aside(self, standing: Standing, writer: Writer) -> Iterator[TrialState]:
        """Give damaged records other names, and note it first: whoever dies in between has still said it."""
        if self._damaged:
            standing.add_notes(map(str, self._damaged))
            standing.write()
            writer.submit(partial(salvage.set_aside, self._directory, self._damaged))
            yield from standing.during(lambda _: writer.flush(), WRITING)

    def check(self, dataset: data.Dataset) -> None:
        """Describe the data where the trial begins; where it goes on, insist on the same content.

        Raises:
            DataError: it is another.
        """
        found = describe(dataset)
        before = self._directory.read_dataset() if self._goes_on else None
        if before is not None:
            insist(self._trial, before, found)
        self._directory.write_dataset(found)


def what_to_know(
    trial: TrialSpec, restored: checkpoint.Restored, budget: Budget, device_before: str, device: str
) -> Iterator[str]:
    """What a reader of the results should know of how an attempt begins.

    Args:
        trial: the trial.
        restored: where it goes on.
        budget: its length.
        device_before: that it was trained on, in words; empty where it was on none.
        device: that it is trained on now.
    """
    yield from restored.notes
    step = int(restored.state["step"]) if restored.state else 0
    if restored.state is not None:
        if device_before not in ("", device):
            yield (
                f"continued after step {step} on {device} instead of {device_before}: may no longer be "
                "bit-exact"
            )
        if (replicas := hardware.replicas(trial.resources)) != restored.replicas:
            yield (
                f"continued after step {step} on {replicas} replicas instead of {restored.replicas}: "
                "no longer bit-exact"
            )
    if why := threads.why_inexact(threads.of(trial.resources)):
        yield why
    if not trial.resources.deterministic:
        yield "resources.deterministic is false: the same trial may end with other bits another time"
    yield from notices.of_data(trial, budget.size)
    if step > budget.total_steps:
        yield (
            f"trained to step {step:,}, further than the {budget.total_steps:,} that the job file has asked "
            "for since: it ends there"
        )


def describe(dataset: data.Dataset) -> DatasetDescription:
    """What a trial's directory says of its data."""
    return DatasetDescription(
        image_shape=dataset.image_shape,
        class_names=dataset.class_names,
        images=len(dataset),
        fingerprint=dataset.fingerprint,
        summary=dataset.summary,
        left_out=dataset.left_out,
    )


def insist(trial: TrialSpec, before: DatasetDescription, found: DatasetDescription) -> None:
    """Nothing, where ``trial`` was trained on the content that was ``found``.

    Raises:
        DataError: it was another.
    """
    was, now = before.content, found.content
    if was != now:
        changes = ", ".join(
            f"{name} {printable(was[name], 60)} -> {printable(now[name], 60)}"
            for name in now
            if was[name] != now[name]
        )
        raise DataError(
            f"data.{trial.data.name}: not what {trial.id} was trained on: {changes}; bring "
            "that data back, or give the job another name"
        )


def load(trial: TrialSpec, data_dir: str | None, tell: Tell) -> data.Dataset:
    """The trial's data, with its fingerprint taken, which reads all images.

    Raises:
        DataError: it cannot be loaded.
    """
    dataset = data.load(trial.data, Path(data_dir) if data_dir else None, tell)
    tell(Activity("hashing the data"))
    _ = dataset.fingerprint
    return dataset
