"""How training images reach the devices: all of them at the start, or chunk by chunk."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from gandist.data import Dataset
from gandist.spec.budget import Budget
from gandist.spec.sections import Resources
from gandist.spec.trial import TrialSpec
from gandist.training import hardware, order

CHUNK_BYTES = 64 * 10**6
"""Images that are gathered at a time. Three such chunks are in memory at most: the one in use, the next, and
the last until its memory is given back."""

CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")

Chunk = tuple[Any, Any, np.ndarray]
"""Images uint8 ``[n, height, width, channels]`` and labels int32 ``[n]``, on each device its own, and which
of them each step takes: int32 ``[steps, images_per_step]``, laid out as ``order.indices``."""


class Feed(Protocol):
    """What the loop draws from; which images a step gets does not depend on the kind."""

    def chunks(self, first: int, stop: int) -> Generator[Chunk]:
        """The images of the steps ``first`` .. ``stop - 1``, from 0, in the order of steps."""


class Resident:
    """Every device holds the whole data set."""

    def __init__(
        self, trial: TrialSpec, dataset: Dataset, budget: Budget, strategy: tf.distribute.Strategy
    ) -> None:
        self._seed, self._budget = trial.seed, budget
        self._images = on_devices(strategy, lambda _: dataset.images)
        self._labels = on_devices(strategy, lambda _: dataset.labels)

    def chunks(self, first: int, stop: int) -> Generator[Chunk]:
        """All in one."""
        yield self._images, self._labels, order.indices(self._budget, self._seed, first, stop)


class Streamed:
    """Devices get a chunk of steps at a time, each its own part; the next is gathered while one is in use.

    Chunks begin at multiples of their length, wherever a block of steps begins or ends: a chunk is gathered
    once, whatever the blocks.
    """

    def __init__(
        self, trial: TrialSpec, dataset: Dataset, budget: Budget, strategy: tf.distribute.Strategy
    ) -> None:
        self._seed, self._budget, self._strategy = trial.seed, budget, strategy
        # Plain arrays: numpy.memmap, a subclass, costs time with each index.
        self._images, self._labels = np.asarray(dataset.images), np.asarray(dataset.labels)
        bytes_per_step = budget.images_per_step * self._images[:1].nbytes
        self._steps = max(1, min(CHUNK_BYTES // bytes_per_step, budget.total_steps))
        n_critic, replicas = trial.training.n_critic, strategy.num_replicas_in_sync
        # Where a step's images lie, for the split between replicas that Budget.indices stands for.
        self._split = (self._steps, n_critic, replicas, budget.images_per_step // n_critic // replicas)
        places = np.arange(self._steps * budget.images_per_step // replicas, dtype=np.int32)
        places = places.reshape(self._steps, n_critic, 1, self._split[-1])
        self._places = np.broadcast_to(places, self._split).reshape(self._steps, budget.images_per_step)
        self._gathered: dict[int, Future[tuple[Any, Any]]] = {}

    def chunks(self, first: int, stop: int) -> Generator[Chunk]:
        """One after another.

        Raises:
            Exception: whatever gathering the images raised.
        """
        with ThreadPoolExecutor(1, "gandist-feed") as thread:  # it ends with the call
            while first < stop:
                number, offset = divmod(first, self._steps)
                images, labels = self._take(number, thread)
                steps = min(stop - first, self._steps - offset)
                yield images, labels, self._places[offset : offset + steps]
                first += steps

    def _take(self, number: int, thread: ThreadPoolExecutor) -> tuple[Any, Any]:
        """A chunk; starts gathering the one after it."""
        last = (self._budget.total_steps - 1) // self._steps
        wanted = [n for n in (number, number + 1) if n == number or n <= last]
        kept = {n: self._gathered[n] for n in wanted if n in self._gathered}
        self._gathered = {n: kept.get(n) or thread.submit(self._gather, n) for n in wanted}
        try:
            return self._gathered[number].result()
        except BaseException:
            del self._gathered[number]  # the next call tries again
            raise

    def _gather(self, number: int) -> tuple[Any, Any]:
        first = number * self._steps
        chosen = order.indices(self._budget, self._seed, first, first + self._steps).reshape(self._split)
        return (
            on_devices(self._strategy, lambda r: self._images[chosen[:, :, r].ravel()]),
            on_devices(self._strategy, lambda r: self._labels[chosen[:, :, r].ravel()]),
        )


def choose(
    trial: TrialSpec, dataset: Dataset, budget: Budget, strategy: tf.distribute.MirroredStrategy
) -> Feed:
    """Resident where ``resources.data_memory_gb`` of each device holds the images, else streamed."""
    allowed = trial.resources.data_memory_gb
    limit = device_memory(trial.resources) / 4 if allowed is None else allowed * 1e9
    kind = Resident if dataset.images.nbytes <= limit else Streamed
    return kind(trial, dataset, budget, strategy)


def signature(image_shape: tuple[int, int, int], strategy: tf.distribute.Strategy) -> list[Any]:
    """The types of a chunk's images and labels, of any number, for a ``tf.function``."""

    def of_any_number(shape: tuple[int, ...], dtype: type) -> Any:
        def of(count: int) -> Any:
            return tf.type_spec_from_value(on_devices(strategy, lambda _: np.zeros((count, *shape), dtype)))

        return of(0).most_specific_common_supertype([of(1)])

    return [of_any_number(image_shape, np.uint8), of_any_number((), np.int32)]


def on_devices(strategy: tf.distribute.Strategy, array: Callable[[int], np.ndarray]) -> Any:
    """``array(replica)`` on each replica's device."""

    def value(context: tf.distribute.experimental.ValueContext) -> tf.Tensor:
        replica = context.replica_id_in_sync_group
        with tf.device(strategy.extended.worker_devices[replica]):
            return tf.convert_to_tensor(array(replica))

    return strategy.experimental_distribute_values_from_function(value)


def device_memory(resources: Resources) -> float:
    """Bytes of memory that a trial may think of as its own on each device.

    GPUs: what TensorFlow found free on the one with the least, times a trial's share of it. CPUs: the
    machine's memory, or its container's, over the number of replicas, which share it.
    """
    if hardware.gpus(resources):
        from tensorflow.python.client import device_lib  # there is no public way to ask

        found = [d.memory_limit for d in device_lib.list_local_devices() if d.device_type == "GPU"]
        return min(found, default=0) * min(1.0, resources.gpus or 1.0)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):  # no such file without cgroups v2, and "max" without a limit
        memory = min(memory, int(CONTAINER_LIMIT.read_text()))
    return memory / hardware.replicas(resources)
