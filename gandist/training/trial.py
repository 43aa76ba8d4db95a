"""One trial from its spec to its artifacts: trains, draws, says what to write, and tells how it stands."""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Generator, Iterable, Iterator

import keras
import numpy as np

from gandist import data, tensorflow_start
from gandist.activity import Tell
from gandist.artifacts import tables
from gandist.artifacts.job_dir import TrialDir
from gandist.artifacts.retry import GIVE_UP_S, Retry
from gandist.artifacts.statuses import MEANINGS, PAUSED
from gandist.artifacts.storage import Storage
from gandist.artifacts.trial_state import TrialState
from gandist.artifacts.writer import Writer
from gandist.spec.trial import TrialSpec
from gandist.training import checkpoint, hardware, outcomes
from gandist.training.observer import Observer
from gandist.training.recorder import Recorder
from gandist.training.stability import Stability
from gandist.training.standing import WRITING, Standing, StopAskedError
from gandist.training.start import Start, load, what_to_know
from gandist.training.trainer import Trainer

CHECKPOINTS, EXPORTING, GRIDS = "checkpoints", "exporting the generator", "grids"
RESUMING = "looking for checkpoints"
BLOCK_S = 1.0
"""Seconds that one compiled call aims at: long enough to cost nothing, short enough to stop and report."""
MAX_BLOCK = 2000
COMPILE_S = 600.0
"""How long the first block may take without a sign of life: compiling gives none."""
_loading_s = [time.monotonic() - tensorflow_start.BEGAN]
"""What loading TensorFlow took; the first trial of a process counts it."""


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
        how it ended: completed, diverged, unstable or stopped.

    Raises:
        DataError: the data set cannot be loaded.
        StorageError: the storage has refused for too long; what it took before is good.
    """
    with Writer() as writer:
        # What a trial has trained is worth waiting for, whatever the storage says.
        patience = Retry(read_s=GIVE_UP_S, denied_s=GIVE_UP_S, sleep=writer.pause)
        directory = TrialDir(Storage(job_root, patience), trial.id)
        standing = Standing(directory, writer, stop)
        standing.spend("loading TensorFlow", _loading_s.pop() if _loading_s else 0.0)
        try:
            dataset = yield from standing.during(
                lambda tell: load(trial, data_dir, tell), "loading the data", can_wait=True
            )
            start = yield from standing.during(
                lambda tell: Start(trial, directory, standing.state, tell), RESUMING, can_wait=True
            )
            yield from start.set_damaged_aside(standing, writer)
            start.check(dataset)
            yield standing.busy_with("building the networks")
            with standing.spending("building the networks"):
                run = _Run(trial, directory, dataset, writer, standing, start.identity)
            yield from run.blocks(start.restored, stop)
        except StopAskedError:
            yield from standing.finish(status="stopped", reason="asked to stop")


class _Run:
    """The trainer and the records of one attempt at a trial."""

    def __init__(
        self,
        trial: TrialSpec,
        directory: TrialDir,
        dataset: data.Dataset,
        writer: Writer,
        standing: Standing,
        identity: str,
    ) -> None:
        self.trial, self.directory, self.standing, self.identity = trial, directory, standing, identity
        keras.backend.clear_session()
        self.replicas = hardware.replicas(trial.resources)
        strategy = hardware.strategy(trial.resources)
        self.trainer = Trainer(trial, dataset, strategy)
        self.stability = Stability(trial.training.early_stopping)
        self.budget = self.trainer.budget
        pause = self.budget.step_of_kimg(trial.pause_kimg) if trial.pause_kimg else self.budget.total_steps
        self.until = min(pause, self.budget.total_steps)
        """The last step that it takes before it ends, or waits for other configurations."""
        self.recorder = Recorder(trial, directory, self.budget, dataset.image_shape, writer)
        self.observer = Observer(trial, dataset, self.trainer, self.recorder)
        self._speed_s, self._speed_images = 0.0, 0
        self._unix = time.time() - time.monotonic()  # added to monotonic time: clocks of machines may be set
        self._saved_step: int | None = None
        """The step of the newest finished checkpoint."""
        self._saved = time.monotonic()

    def blocks(self, restored: checkpoint.Restored, stop: threading.Event) -> Iterator[TrialState]:
        """Train block by block, to the end or until told to stop.

        Args:
            restored: where to go on from.
            stop: see ``run_trial``.

        Raises:
            StopAskedError: told to stop; a checkpoint says where.
        """
        yield from self._resume(restored)
        try:
            yield from self._blocks(stop)
        except StopAskedError:
            yield from self.standing.during(self._save, CHECKPOINTS)
            raise

    def _blocks(self, stop: threading.Event) -> Iterator[TrialState]:
        trainer, until = self.trainer, self.until
        yield from self.standing.during(self.observer.draw_real, GRIDS)
        yield from self._record(missing=True)
        block = 1
        while trainer.step < until and not self._ends_early():
            if stop.is_set():
                raise StopAskedError
            seconds_a_step = yield from self._train(self._next_stop(block))
            if self.standing.state.status != "running":
                yield from self._finish()
                return
            block = min(MAX_BLOCK, 8 * block, max(1, int(BLOCK_S / seconds_a_step)))
            yield from self._record()  # before the checkpoint: whoever resumes there finds it done
            if self._checkpoint_is_due() and trainer.step < until:
                yield from self.standing.during(self._save, CHECKPOINTS)
            yield from self.standing.during(lambda _: self.recorder.keep_up(), WRITING)
            self.standing.keep_up()
            yield self.standing.state
        yield from self.standing.during(self._save, CHECKPOINTS)
        early = self._ends_early()
        if trainer.step < self.budget.total_steps and not early:
            reason = f"waits at {self.trial.pause_kimg:g} kimg for the other configurations"
            yield from self._finish(status=PAUSED.name, reason=reason)
            return
        if early:  # of the last step, too
            yield from self.standing.during(self.observer.draw, GRIDS)
        yield from self.standing.during(self.observer.judge, "judging images by D")
        yield from self.standing.during(self.observer.export, EXPORTING)
        ended = yield from self.standing.during(lambda _: self._ended(early), WRITING)
        yield from self._finish(**ended)

    def _ends_early(self) -> str:
        """Why the training ends after this step; empty where it goes on. A function of the recorded rows."""
        recorder, evaluation = self.recorder, self.trial.evaluation
        return outcomes.ends_early(recorder.rows, recorder.best, evaluation) if evaluation else ""

    def _ended(self, early: str) -> dict[str, object]:
        """How a training that went its way ends, by what is recorded of it."""
        step, total = self.trainer.step, self.budget.total_steps
        if found := outcomes.find(self.trial, self.recorder.rows, self.recorder.losses_backwards()):
            return {"status": found.status, "reason": found.reason}
        if early:
            return {"status": "completed", "total_steps": step, "reason": f"before step {total:,}: {early}"}
        return {"status": "completed"}

    def _resume(self, restored: checkpoint.Restored) -> Iterator[TrialState]:
        """Go on from the newest checkpoint that can be trusted."""
        if restored.state is not None:
            self.trainer.load_state(restored.state)
            self.stability.load_state(restored.state)
            self._saved_step = self.trainer.step
        self.directory.write_trial(self.trial.model_dump(mode="json"))
        device = hardware.describe(self.trial.resources)
        notes = list(what_to_know(self.trial, restored, self.budget, self.standing.state.device, device))
        self._update(
            total_steps=self.budget.total_steps,
            budget=self.trial.budget(),
            device=device,
            replicas=self.replicas,
            host=platform.node(),
            started_at=self.standing.state.started_at or time.time(),
            identity=self.identity,
        )
        self.standing.add_notes(notes)
        self.standing.write()
        yield from self.standing.during(
            lambda _: self.recorder.resume(self.trainer.step, restored.unusable), RESUMING
        )
        self._update_best()

    def _next_stop(self, block: int) -> int:
        """A block ends where something is due, so that it is done at exactly that step."""
        step = self.trainer.step
        cadences = (self.trial.samples, self.trial.checkpoint, self.trial.evaluation)
        due = [self.until, *(self.budget.next_stop(step, cadence) for cadence in cadences if cadence)]
        if (window := self.stability.next_stop(step)) is not None:
            due.append(window)
        return min(step + block, *due)

    def _train(self, until: int) -> Generator[TrialState, None, float]:
        """One block; returns seconds a step, compilation left out."""
        first_call = self._speed_s == 0.0 and self._speed_images == 0
        began, steps = time.monotonic(), until - self.trainer.step
        if first_call:
            yield self.standing.busy_with("compiling")
            columns = yield from self.standing.during(
                lambda _: self.trainer.run(until), "compiling", doing="compiling", patience_s=COMPILE_S
            )
        else:
            with self.standing.spending("training"):
                columns = self.trainer.run(until)
        seconds = time.monotonic() - began
        columns["wall_time"] = self._unix + began + seconds * np.arange(1, steps + 1) / steps
        # What a step need not compute is none at most steps; where it is not finite, the gradient is not.
        needed = [name for name in columns if name not in self.trainer.gan.optional]
        finite = np.isfinite([columns[name] for name in needed]).all(axis=0)
        if not finite.all():
            kept = int(np.argmin(finite)) + 1
            columns = {name: values[:kept] for name, values in columns.items()}
            bad = next(name for name in needed if not np.isfinite(columns[name][-1]))
            self._update(
                status="diverged", reason=f"{bad} is {columns[bad][-1]} at step {columns['step'][-1]}"
            )
        elif reason := self.stability.add(columns):
            self._update(status="unstable", reason=reason)
        self.recorder.add_losses(columns, self.trainer.gan.optional)
        if first_call:
            self._update(compile_s=seconds, figures=self._all_figures(columns))
            self.standing.write()  # before the first part of the losses: whoever reads that knows its columns
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

    def _all_figures(self, columns: Iterable[str]) -> tuple[str, ...]:
        """What the losses hold besides ``tables.LOSSES``, also from earlier versions of this trial."""
        before = self.standing.state.figures or (tables.FIRST_FIGURES if self._saved_step else ())
        return tuple(sorted({*before, *columns} - set(tables.LOSSES.names)))

    def _record(self, missing: bool = False) -> Iterator[TrialState]:
        """The grid and the evaluation that are due now; only what is ``missing`` where a trial goes on."""
        step, samples = self.trainer.step, self.trial.samples
        grid_is_due = self.budget.is_due(step, samples) or (step == 0 and not samples.at_epochs)
        if grid_is_due and not (missing and self.recorder.has_grid(step)):
            yield from self.standing.during(self.observer.draw, GRIDS)
        if (evaluation := self.trial.evaluation) is None:
            return
        compared = self.trial.pause_kimg is not None and step >= self.until
        if not compared and not self.budget.is_due(step, evaluation):
            return
        if not (missing and self.recorder.has_metrics(step)):
            found = yield from self.standing.during(self.observer.evaluate, "evaluation", can_wait=True)
            self.recorder.write_metrics(step, found, self.observer.pairs)
        best = self.recorder.best
        if best is not None and best.step == step:
            self._update_best()
            yield from self.standing.during(self._save, CHECKPOINTS)
            yield from self.standing.during(self.observer.export_best, EXPORTING)

    def _checkpoint_is_due(self) -> bool:
        if (minutes := self.trial.checkpoint.every_minutes) is not None:
            return time.monotonic() - self._saved >= 60 * minutes
        return self.budget.is_due(self.trainer.step, self.trial.checkpoint)

    def _save(self, _: Tell) -> None:
        """Only copying the weights takes training's time. A step that has a checkpoint needs no other."""
        if self.trainer.step == self._saved_step:
            return
        state = self.trainer.state() | self.stability.state()
        self.recorder.write_checkpoint(state, self.identity, self.replicas, self.standing.checkpointed)
        self._saved_step, self._saved = self.trainer.step, time.monotonic()

    def _update_best(self) -> None:
        best = self.recorder.best
        value = best.value if best and np.isfinite(best.value) else None
        self._update(best_step=best.step if best else None, best_value=value)

    def _finish(self, **changes: object) -> Iterator[TrialState]:
        self.recorder.write_losses()
        if MEANINGS[str(changes.get("status", self.standing.state.status))].final:
            self.recorder.thin_checkpoints(self.trainer.step)
        yield from self.standing.finish(self.recorder.notes, **changes)

    def _update(self, **changes: object) -> None:
        step = self.trainer.step
        self.standing.update(step=step, kimg=float(self.budget.kimg(step)), **changes)
