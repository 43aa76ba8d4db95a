"""One trial from its spec to its artifacts: trains, draws, says what to write, and tells how it stands."""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from gandist import data, models
from gandist.activity import Activity, Tell
from gandist.artifacts import tables
from gandist.artifacts.job_dir import DatasetDescription, TrialDir, TrialState
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
from gandist.training.standing import Standing, StopAskedError
from gandist.training.trainer import Trainer

BLOCK_S = 1.0
"""Seconds that one compiled call aims at: long enough to cost nothing, short enough to stop and report."""
MAX_BLOCK = 2000
COMPILE_S = 600.0
"""How long the first block may take without a sign of life: compiling gives none."""


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
        its state after each block of steps, and while anything else takes long, with its ``activity``; last,
        how it ended: completed, diverged, collapsed or stopped.

    Raises:
        DataError: the data set cannot be loaded.
        StorageError: the storage has refused for too long; what it took before is good.
    """
    with Writer() as writer:
        # What a trial has trained is worth waiting for, whatever the storage says.
        patience = Retry(read_s=GIVE_UP_S, denied_s=GIVE_UP_S, sleep=writer.pause)
        directory = TrialDir(Storage(job_root, patience), trial.id)
        standing = Standing(directory, writer, stop)
        try:
            dataset = yield from standing.during(lambda tell: _load(trial, data_dir, tell), can_wait=True)
            yield standing.busy_with("building the networks")
            yield from _Run(trial, directory, dataset, writer, standing).blocks(stop)
        except StopAskedError:
            yield from standing.finish(status="stopped", reason="asked to stop")


def _load(trial: TrialSpec, data_dir: str | None, tell: Tell) -> data.Dataset:
    dataset = data.load(trial.data, Path(data_dir) if data_dir else None, tell)
    tell(Activity("hashing the data"))
    _ = dataset.fingerprint  # kept: it reads all images
    return dataset


def _identity(trial: TrialSpec, before: TrialState, directory: TrialDir) -> str:
    """What was trained keeps the name that its checkpoints bear, whatever version has given it."""
    goes_on = before.step > 0 and before.identity != "" and continues(trial, before, directory)
    return before.identity if goes_on else trial.identity()


class _Run:
    """The trainer, the sampler and the records of one attempt at a trial."""

    def __init__(
        self,
        trial: TrialSpec,
        directory: TrialDir,
        dataset: data.Dataset,
        writer: Writer,
        standing: Standing,
    ) -> None:
        self.trial, self.directory, self.dataset, self.standing = trial, directory, dataset, standing
        self.identity = _identity(trial, standing.state, directory)
        keras.backend.clear_session()
        self.replicas = hardware.replicas(trial.resources)
        strategy = distribution.configure(trial.resources.cpus, hardware.gpus(trial.resources), self.replicas)
        self.trainer = Trainer(trial, dataset, strategy)
        classes = models.classes(trial.model, dataset.class_names)
        self.sampler = Sampler(trial, dataset.image_shape, classes)
        self.evaluator = Evaluator(trial.evaluation, dataset) if trial.evaluation else None
        self.stability = Stability(trial.training.early_stopping)
        self.budget = self.trainer.budget
        self.recorder = Recorder(trial, directory, self.budget, dataset.image_shape[0], writer)
        self._speed_s, self._speed_images = 0.0, 0
        self._unix = time.time() - time.monotonic()  # added to monotonic time: clocks of machines may be set
        self._saved_step: int | None = None
        """The step of the newest finished checkpoint."""
        self._saved = time.monotonic()

    def blocks(self, stop: threading.Event) -> Iterator[TrialState]:
        """Train block by block, to the end or until told to stop.

        Raises:
            StopAskedError: told to stop; a checkpoint says where.
        """
        yield from self._resume()
        try:
            yield from self._blocks(stop)
        except StopAskedError:
            yield from self.standing.during(self._save)
            raise

    def _blocks(self, stop: threading.Event) -> Iterator[TrialState]:
        trainer, total = self.trainer, self.budget.total_steps
        yield from self._record(missing=True)
        block = 1
        while trainer.step < total:
            if stop.is_set():
                raise StopAskedError
            seconds_a_step = yield from self._train(self._next_stop(block))
            if self.standing.state.status != "running":
                self.recorder.write_losses()
                yield from self.standing.finish()
                return
            block = min(MAX_BLOCK, 8 * block, max(1, int(BLOCK_S / seconds_a_step)))
            yield from self._record()  # before the checkpoint: whoever resumes there finds it done
            if self._checkpoint_is_due() and trainer.step < total:
                yield from self.standing.during(self._save)
            yield from self.standing.during(lambda _: self.recorder.keep_up())
            self.standing.keep_up()
            yield self.standing.state
        yield from self.standing.during(self._complete)
        yield from self.standing.finish(status="completed")

    def _check_dataset(self, goes_on: bool) -> None:
        """Describe the data where the trial begins; where it goes on, insist on the same content."""
        dataset = self.dataset
        found = DatasetDescription(
            image_shape=dataset.image_shape,
            class_names=dataset.class_names,
            images=len(dataset),
            fingerprint=dataset.fingerprint,
            summary=dataset.summary,
            left_out=dataset.left_out,
        )
        before = self.directory.read_dataset() if goes_on else None
        was, now = before.content if before else found.content, found.content
        if was != now:
            changes = ", ".join(
                f"{name} {_short(was[name])} -> {_short(now[name])}" for name in now if was[name] != now[name]
            )
            raise DataError(
                f"data.{self.trial.data.name}: not what {self.trial.id} was trained on: {changes}; bring "
                "that data back, or give the job another name"
            )
        self.directory.write_dataset(found)

    def _resume(self) -> Iterator[TrialState]:
        """Go on from the newest checkpoint that can be trusted."""
        state = self.standing.state
        restored = yield from self.standing.during(
            lambda tell: checkpoint.restore_newest(self.directory, self.identity, tell), can_wait=True
        )
        self._check_dataset(goes_on=state.step > 0 or restored.state is not None)
        self.directory.write_trial(self.trial.model_dump(mode="json"))
        notes = list(restored.notes)
        self.directory.storage.delete_unfinished()
        if restored.state is not None:
            self.trainer.load_state(restored.state)
            self.stability.load_state(restored.state)
            self._saved_step = self.trainer.step
            checkpoint.delete_unfinished(self.directory, before=self.trainer.step)
            if restored.replicas != self.replicas:
                notes.append(
                    f"continued after step {self.trainer.step} on {self.replicas} replicas instead of "
                    f"{restored.replicas}: no longer bit-exact"
                )
        yield from self.standing.during(lambda _: self.recorder.resume(self.trainer.step))
        self._update(
            total_steps=self.budget.total_steps,
            budget=self.trial.budget(),
            device=hardware.describe(self.trial.resources),
            replicas=self.replicas,
            host=platform.node(),
            started_at=state.started_at or time.time(),
            identity=self.identity,
        )
        self.standing.add_notes(notes)
        self.standing.write()

    def _next_stop(self, block: int) -> int:
        """A block ends where something is due, so that it is done at exactly that step."""
        step = self.trainer.step
        cadences = (self.trial.samples, self.trial.checkpoint, self.trial.evaluation)
        due = [self.budget.next_stop(step, cadence) for cadence in cadences if cadence]
        if (window := self.stability.next_stop(step)) is not None:
            due.append(window)
        return min(step + block, *due)

    def _train(self, until: int) -> Generator[TrialState, None, float]:
        """One block; returns seconds a step, compilation left out."""
        first_call = self._speed_s == 0.0 and self._speed_images == 0
        began, steps = time.monotonic(), until - self.trainer.step
        if first_call:
            yield self.standing.busy_with("compiling")
            columns = yield from self.standing.during(lambda _: self.trainer.run(until), patience_s=COMPILE_S)
        else:
            columns = self.trainer.run(until)
        seconds = time.monotonic() - began
        columns["wall_time"] = self._unix + began + seconds * np.arange(1, steps + 1) / steps
        finite = np.isfinite([columns[name] for name in tables.STEP_METRICS]).all(axis=0)
        if not finite.all():
            kept = int(np.argmin(finite)) + 1
            columns = {name: values[:kept] for name, values in columns.items()}
            bad = next(name for name in tables.STEP_METRICS if not np.isfinite(columns[name][-1]))
            self._update(
                status="diverged", reason=f"{bad} is {columns[bad][-1]} at step {columns['step'][-1]}"
            )
        elif collapsed := self.stability.add(columns):
            self._update(status="collapsed", reason=collapsed)
        self.recorder.add_losses(columns)
        if first_call:
            self._update(compile_s=seconds)
            self._speed_s = 1e-9
        else:
            self._speed_s += seconds
            self._speed_images += steps * self.budget.images_per_step
        last = {name: float(columns[name][-1]) for name in ("d_loss", "g_loss")}
        self._update(
            train_s=self.standing.state.train_s + seconds,
            images_per_s=self._speed_images / self._speed_s,
            **{name: value if np.isfinite(value) else None for name, value in last.items()},
        )
        return seconds / steps

    def _record(self, missing: bool = False) -> Iterator[TrialState]:
        """The grid and the evaluation that are due now; only what is ``missing`` where a trial goes on."""
        step, samples = self.trainer.step, self.trial.samples
        grid_is_due = self.budget.is_due(step, samples) or (step == 0 and not samples.at_epochs)
        if grid_is_due and not (missing and self.recorder.has_grid(step)):
            yield from self.standing.during(self._draw)
        if self.evaluator is None or not self.budget.is_due(step, self.evaluator.options):
            return
        if not (missing and self.recorder.has_metrics(step)):
            found = yield from self.standing.during(self._evaluated, can_wait=True)
            self.recorder.write_metrics(step, found)

    def _draw(self, tell: Tell) -> None:
        """A grid of the same latents as ever, from the generator as it is."""
        rows, columns = self.trial.samples.rows, self.trial.samples.columns
        tell(Activity("drawing a grid"))
        self.sampler.update(self.trainer.gan)
        generated = self.sampler.generate(self.sampler.latents(rows * columns))
        self.recorder.write_grid(self.trainer.step, generated)

    def _evaluated(self, tell: Tell) -> list[dict[str, Any]]:
        assert self.evaluator is not None  # noqa: S101 - asked before
        self.sampler.update(self.trainer.gan)
        return self.evaluator.evaluate(self.sampler, tell)

    def _complete(self, tell: Tell) -> None:
        """The last checkpoint, and everything that is made of a trained trial."""
        self._save(tell)
        tell(Activity("judging images"))
        self.sampler.update(self.trainer.gan)
        self._judge()
        tell(Activity("exporting the generator"))
        self.recorder.finish_artifacts(self.sampler.export())

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

    def _save(self, _: Tell) -> None:
        """Only copying the weights takes training's time. A step that has a checkpoint needs no other."""
        if self.trainer.step == self._saved_step:
            return
        state = self.trainer.state() | self.stability.state()
        self.recorder.write_checkpoint(state, self.identity, self.replicas)
        self._saved_step, self._saved = self.trainer.step, time.monotonic()

    def _update(self, **changes: object) -> None:
        step = self.trainer.step
        self.standing.update(step=step, kimg=float(self.budget.kimg(step)), **changes)


def _short(value: object, limit: int = 60) -> str:
    text = str(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
