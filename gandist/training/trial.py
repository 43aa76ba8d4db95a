"""One trial from its spec to its artifacts: trains, draws, says what to write, and tells how it stands."""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from gandist import data, models
from gandist.artifacts import tables
from gandist.artifacts.job_dir import DatasetDescription, Status, TrialDir, TrialState
from gandist.artifacts.retry import GIVE_UP_S, Retry
from gandist.artifacts.storage import Storage
from gandist.artifacts.writer import Writer
from gandist.continuation import continues
from gandist.errors import DataError
from gandist.randomness import permutation
from gandist.spec import TrialSpec
from gandist.training import checkpoint, distribution, hardware, outputs
from gandist.training.evaluation import Evaluator
from gandist.training.recorder import Recorder
from gandist.training.sampler import Sampler
from gandist.training.stability import Stability
from gandist.training.trainer import Trainer

BLOCK_S = 1.0
"""Seconds that one compiled call aims at: long enough to cost nothing, short enough to stop and report."""
MAX_BLOCK = 2000


def run_trial(
    trial: TrialSpec, job_root: str, data_dir: str | None, stop: threading.Event
) -> Iterator[TrialState]:
    """Train ``trial`` from where its directory says it stands.

    Args:
        trial: what to train.
        job_root: the job directory.
        data_dir: where data files lie.
        stop: set it, and the trial checkpoints and leaves after the current block.

    Yields:
        its state after each block of steps; last, how it ended: completed, diverged or stopped.

    Raises:
        DataError: the data set cannot be loaded.
        StorageError: the storage has refused for too long; what it took before is good.
    """
    with Writer() as writer:
        # What a trial has trained is worth waiting for, whatever the storage says.
        patience = Retry(read_s=GIVE_UP_S, denied_s=GIVE_UP_S, sleep=writer.pause)
        directory = TrialDir(Storage(job_root, patience), trial.id)
        yield from _Run(trial, directory, data_dir, writer).blocks(stop)


class _Run:
    """The trainer, the sampler and the records of one attempt at a trial."""

    def __init__(self, trial: TrialSpec, directory: TrialDir, data_dir: str | None, writer: Writer) -> None:
        self.trial, self.directory = trial, directory
        before = directory.read_state()
        # What was trained keeps the name that its checkpoints bear, whatever version has given it.
        goes_on = before.step > 0 and before.identity != "" and continues(trial, before, directory)
        self.identity = before.identity if goes_on else trial.identity()
        keras.backend.clear_session()
        self.dataset = dataset = data.load(trial.data, Path(data_dir) if data_dir else None)
        replicas = hardware.replicas(trial.resources)
        strategy = distribution.configure(trial.resources.cpus, hardware.gpus(trial.resources), replicas)
        self.trainer = Trainer(trial, dataset, strategy)
        classes = models.classes(trial.model, dataset.class_names)
        self.sampler = Sampler(trial, dataset.image_shape, classes)
        self.evaluator = Evaluator(trial.evaluation, dataset) if trial.evaluation else None
        self.stability = Stability(trial.training.early_stopping)
        self.budget = self.trainer.budget
        self.recorder = Recorder(trial, directory, self.budget, dataset.image_shape[0], writer)
        self.state = before.model_copy(
            update={
                "status": "running",
                "reason": "",
                "attempts": before.attempts + 1,
                "total_steps": self.budget.total_steps,
                "budget": trial.budget(),
                "device": hardware.describe(trial.resources),
                "replicas": replicas,
                "host": platform.node(),
                "started_at": before.started_at or time.time(),
                "identity": self.identity,
            }
        )
        self._speed_s, self._speed_images = 0.0, 0
        directory.write_trial(trial.model_dump(mode="json"))
        self._resume(replicas)
        self.recorder.write_state(self.state)
        self._saved = time.monotonic()

    def blocks(self, stop: threading.Event) -> Iterator[TrialState]:
        """Train block by block, to the end or until told to stop."""
        trainer, total = self.trainer, self.budget.total_steps
        if trainer.step == 0 and not self.trial.samples.at_epochs:
            self._draw()
        block = 1
        while trainer.step < total and not stop.is_set():
            seconds_a_step = self._train(self._next_stop(block))
            if self.state.status != "running":
                yield self._finish(self.state.status)
                return
            block = min(MAX_BLOCK, 8 * block, max(1, int(BLOCK_S / seconds_a_step)))
            if self.budget.is_due(trainer.step, self.trial.samples):
                self._draw()
            self._evaluate()  # before the checkpoint: whoever resumes there finds it done
            if self._checkpoint_is_due() and trainer.step < total:
                self._save()
            self.recorder.keep_up(self.state)
            yield self.state
        self._save()
        if trainer.step < total:
            yield self._finish("stopped", "asked to stop")
            return
        self.sampler.update(trainer.gan)
        self._judge()
        self.recorder.finish_artifacts(self.sampler.export())
        yield self._finish("completed")

    def _check_dataset(self, goes_on: bool) -> None:
        """Describe the data where the trial begins; where it goes on, insist on the same content."""
        dataset = self.dataset
        found = DatasetDescription(
            image_shape=dataset.image_shape,
            class_names=dataset.class_names,
            images=len(dataset),
            fingerprint=dataset.fingerprint,
        )
        before = self.directory.read_dataset() if goes_on else None
        if before is not None and before != found:
            was, now = before.model_dump(), found.model_dump()
            changes = ", ".join(
                f"{name} {_short(was[name])} -> {_short(now[name])}" for name in now if was[name] != now[name]
            )
            raise DataError(
                f"data.{self.trial.data.name}: not what {self.trial.id} was trained on: {changes}; bring "
                "that data back, or give the job another name"
            )
        self.directory.write_dataset(found)

    def _resume(self, replicas: int) -> None:
        restored = checkpoint.restore_newest(self.directory, self.identity)
        self._check_dataset(goes_on=self.state.step > 0 or restored.state is not None)
        notes = [*self.state.notes, *restored.notes]
        self.directory.storage.delete_unfinished()
        if restored.state is not None:
            self.trainer.load_state(restored.state)
            self.stability.load_state(restored.state)
            checkpoint.delete_unfinished(self.directory, before=self.trainer.step)
            if restored.replicas != replicas:
                notes.append(
                    f"continued after step {self.trainer.step} on {replicas} replicas instead of "
                    f"{restored.replicas}: no longer bit-exact"
                )
        self.recorder.resume(self.trainer.step)
        self._progress(notes=tuple(dict.fromkeys(notes)))

    def _next_stop(self, block: int) -> int:
        """A block ends where something is due, so that it is done at exactly that step."""
        step = self.trainer.step
        cadences = (self.trial.samples, self.trial.checkpoint, self.trial.evaluation)
        due = [self.budget.next_stop(step, cadence) for cadence in cadences if cadence]
        if (window := self.stability.next_stop(step)) is not None:
            due.append(window)
        return min(step + block, *due)

    def _train(self, until: int) -> float:
        """One block; returns seconds a step, compilation left out."""
        first_call = self._speed_s == 0.0 and self._speed_images == 0
        began, steps = time.time(), until - self.trainer.step
        columns = self.trainer.run(until)
        ended = time.time()
        seconds = ended - began
        columns["wall_time"] = began + seconds * np.arange(1, steps + 1) / steps
        finite = np.isfinite([columns[name] for name in tables.STEP_METRICS]).all(axis=0)
        if not finite.all():
            kept = int(np.argmin(finite)) + 1
            columns = {name: values[:kept] for name, values in columns.items()}
            bad = next(name for name in tables.STEP_METRICS if not np.isfinite(columns[name][-1]))
            self._progress(
                status="diverged", reason=f"{bad} is {columns[bad][-1]} at step {columns['step'][-1]}"
            )
        elif collapsed := self.stability.add(columns):
            self._progress(status="collapsed", reason=collapsed)
        self.recorder.add_losses(columns)
        if first_call:
            self._progress(compile_s=seconds)
            self._speed_s = 1e-9
        else:
            self._speed_s += seconds
            self._speed_images += steps * self.budget.images_per_step
        last = {name: float(columns[name][-1]) for name in ("d_loss", "g_loss")}
        self._progress(
            train_s=self.state.train_s + seconds,
            images_per_s=self._speed_images / self._speed_s,
            **{name: value if np.isfinite(value) else None for name, value in last.items()},
        )
        return seconds / steps

    def _draw(self) -> None:
        """A grid of the same latents as ever, from the generator as it is."""
        rows, columns = self.trial.samples.rows, self.trial.samples.columns
        self.sampler.update(self.trainer.gan)
        generated = self.sampler.generate(self.sampler.latents(rows * columns))
        self.recorder.write_grid(self.trainer.step, generated)

    def _evaluate(self) -> None:
        if self.evaluator is None or not self.budget.is_due(self.trainer.step, self.evaluator.options):
            return
        self.sampler.update(self.trainer.gan)
        self.recorder.write_metrics(self.trainer.step, self.evaluator.evaluate(self.sampler))

    def _judge(self) -> None:
        """What the discriminator says of some real images, and of as many generated ones of their classes."""
        chosen = permutation(self.trial.seed, 0, len(self.dataset))[: outputs.IMAGES]
        real, labels = self.dataset.images[chosen], self.dataset.labels[chosen]
        generated = self.sampler.generate(self.sampler.latents(len(chosen), "outputs"), labels)
        judged = (
            outputs.discriminator_outputs(self.trial, self.trainer.gan, images, labels, self.sampler.classes)
            for images in (real, generated)
        )
        self.recorder.write_outputs(self.trainer.step, *judged)

    def _checkpoint_is_due(self) -> bool:
        minutes = self.trial.checkpoint.every_minutes
        if minutes is not None:
            return time.monotonic() - self._saved >= 60 * minutes
        return self.budget.is_due(self.trainer.step, self.trial.checkpoint)

    def _save(self) -> None:
        """Only copying the weights takes training's time."""
        state = self.trainer.state() | self.stability.state()
        self.recorder.write_checkpoint(state, self.identity, self.state.replicas)
        self._saved = time.monotonic()

    def _finish(self, status: Status, reason: str = "") -> TrialState:
        self._progress(status=status, reason=reason or self.state.reason)
        self.recorder.finish(self.state)
        return self.state

    def _progress(self, **changes: object) -> None:
        step = self.trainer.step
        self.state = self.state.model_copy(
            update={"step": step, "kimg": float(self.budget.kimg(step)), "updated_at": time.time(), **changes}
        )


def _short(value: object, limit: int = 60) -> str:
    text = str(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
