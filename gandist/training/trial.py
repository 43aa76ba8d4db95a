"""One trial from its spec to its artifacts: trains, saves, draws, and tells how it stands."""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from gandist import data
from gandist.artifacts import images, tables
from gandist.artifacts.job_dir import JobDir, Status, TrialDir, TrialState
from gandist.spec import TrialSpec
from gandist.training import checkpoint, distribution, hardware
from gandist.training.sampler import Sampler
from gandist.training.trainer import Trainer

BLOCK_S = 1.0
"""Seconds that one compiled call aims at: long enough to cost nothing, short enough to stop and report."""
MAX_BLOCK = 2000
STATE_S = 5.0
LOSSES_S = 30.0
GIF_FRAMES = 100
SAMPLE_PIXELS = 64
"""Small images are magnified to about this height in grids."""


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
        StorageError: the storage refused.
    """
    yield from _Run(trial, JobDir(job_root).trial(trial.id), data_dir).blocks(stop)


class _Run:
    """The trainer, the sampler and the directory of one attempt at a trial."""

    def __init__(self, trial: TrialSpec, directory: TrialDir, data_dir: str | None) -> None:
        self.trial, self.directory = trial, directory
        self.identity = trial.identity()
        before = directory.read_state()
        keras.backend.clear_session()
        dataset = data.load(trial.data, Path(data_dir) if data_dir else None)
        replicas = hardware.replicas(trial.resources)
        strategy = distribution.configure(trial.resources.cpus, hardware.gpus(trial.resources), replicas)
        self.trainer = Trainer(trial, dataset, strategy)
        self.sampler = Sampler(trial, dataset.image_shape)
        self.budget = self.trainer.budget
        self._scale = max(1, round(SAMPLE_PIXELS / dataset.image_shape[0]))
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
        self._pending: list[dict[str, np.ndarray]] = []
        self._losses_written = self._state_written = time.monotonic()
        self._speed_s, self._speed_images = 0.0, 0
        directory.write_trial(trial.model_dump(mode="json"))
        self._resume(replicas)
        self._write_state()

    def blocks(self, stop: threading.Event) -> Iterator[TrialState]:
        """Train block by block, to the end or until told to stop."""
        trainer, total = self.trainer, self.budget.total_steps
        if trainer.step == 0:
            self._draw()
        block = 1
        while trainer.step < total and not stop.is_set():
            seconds_a_step = self._train(self._next_stop(block))
            if self.state.status == "diverged":
                yield self._finish("diverged")
                return
            block = min(MAX_BLOCK, 8 * block, max(1, int(BLOCK_S / seconds_a_step)))
            if self.budget.is_due(trainer.step, self.trial.samples):
                self._draw()
            if self.budget.is_due(trainer.step, self.trial.checkpoint) and trainer.step < total:
                self._save()
            if time.monotonic() - self._losses_written > LOSSES_S:
                self._write_losses()
            if time.monotonic() - self._state_written > STATE_S:
                self._write_state()
            yield self.state
        self._save()
        if trainer.step < total:
            yield self._finish("stopped", "asked to stop")
            return
        self.sampler.update(trainer.gan)
        self.directory.storage.write(TrialDir.GENERATOR, self.sampler.export())
        self._write_gif()
        yield self._finish("completed")

    def _resume(self, replicas: int) -> None:
        restored = checkpoint.restore_newest(self.directory, self.identity)
        notes = [*self.state.notes, *restored.notes]
        if restored.state is not None:
            self.trainer.load_state(restored.state)
            if restored.replicas != replicas:
                notes.append(
                    f"continued after step {self.trainer.step} on {replicas} replicas instead of "
                    f"{restored.replicas}: no longer bit-exact"
                )
        self.directory.drop_losses_after(self.trainer.step)
        self._progress(notes=tuple(dict.fromkeys(notes)))

    def _next_stop(self, block: int) -> int:
        """A block ends where something is due, so that it is done at exactly that step."""
        step = self.trainer.step
        due = (
            self.budget.next_stop(step, cadence) for cadence in (self.trial.samples, self.trial.checkpoint)
        )
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
        self._pending.append(columns)
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
        picture = images.grid(generated, rows, columns, self._scale)
        self.directory.storage.write(
            self.directory.sample_path(self.trainer.step), images.encode_png(picture)
        )

    def _write_gif(self) -> None:
        samples = self.directory.samples()
        chosen = np.unique(np.linspace(0, len(samples) - 1, GIF_FRAMES).round().astype(int))
        # At their own size: a viewer magnifies as well, and a GIF of squares is several times larger.
        frames = [
            images.decode_png(self.directory.storage.read(samples[i][1]))[:: self._scale, :: self._scale]
            for i in chosen
        ]
        self.directory.storage.write(TrialDir.GIF, images.encode_gif(frames))

    def _save(self) -> None:
        """A checkpoint, and the losses up to it: a resumed trial writes only what comes after."""
        self._write_losses()
        checkpoint.save(
            self.directory,
            self.trainer.state(),
            self.identity,
            self.state.replicas,
            self.trial.checkpoint.keep,
        )

    def _write_losses(self) -> None:
        if self._pending:
            columns = {
                name: np.concatenate([part[name] for part in self._pending]) for name in self._pending[0]
            }
            self.directory.write_losses(
                {
                    "trial": self.trial.id,
                    "config": self.trial.config,
                    "seed": self.trial.seed,
                    "epoch": self.budget.epoch(columns["step"]),
                    "kimg": self.budget.kimg(columns["step"]),
                    **columns,
                }
            )
            self._pending = []
        self._losses_written = time.monotonic()

    def _finish(self, status: Status, reason: str = "") -> TrialState:
        self._write_losses()
        self._progress(status=status, reason=reason or self.state.reason)
        self._write_state()
        return self.state

    def _write_state(self) -> None:
        self.directory.write_state(self.state)
        self._state_written = time.monotonic()

    def _progress(self, **changes: object) -> None:
        step = self.trainer.step
        self.state = self.state.model_copy(
            update={"step": step, "kimg": float(self.budget.kimg(step)), "updated_at": time.time(), **changes}
        )
