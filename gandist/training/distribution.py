"""Devices: the one strategy of a process, and the arithmetic between its replicas."""

from __future__ import annotations

import functools
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from gandist import threads as process
from gandist.errors import ProcessError, RunError
from gandist.threads import Threads


@functools.cache
def configure(threads: Threads, gpus: int, replicas: int) -> tf.distribute.MirroredStrategy:
    """This process' strategy: one device is one replica.

    Threads and devices are set by the first call, for the life of the process; where TensorFlow was in use
    before, or a later call wants other threads, they stay as they are, and ``threads.why_inexact`` says so.

    Args:
        threads: that this process should have.
        gpus: GPUs to use; 0 = logical CPU devices.
        replicas: devices of the strategy.

    Raises:
        RunError: TensorFlow finds fewer GPUs than that.
        ProcessError: the process already runs with fewer devices.
    """
    if not process.set_to:
        _set_up(threads, gpus, replicas)
    kind = "GPU" if gpus else "CPU"
    devices = tf.config.list_logical_devices(kind)
    if len(devices) < replicas:
        raise ProcessError(
            f"resources: this process was set up, once for its life, with {len(devices)} {kind} devices, and "
            f"the trial needs {replicas}; run it in a new process"
        )
    # GPUs add with NCCL; logical CPUs share memory, and collectives would allow one replica count a process.
    reduction = None if gpus else tf.distribute.ReductionToOneDevice()
    with _quiet():
        return tf.distribute.MirroredStrategy([device.name for device in devices[:replicas]], reduction)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without a line on which devices a strategy has, which TensorFlow prints in a notebook."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("WARNING")
    try:
        yield
    finally:
        logger.setLevel(level)


def _set_up(threads: Threads, gpus: int, replicas: int) -> None:
    visible = tf.config.list_physical_devices("GPU")[:gpus]
    if len(visible) < gpus:
        allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
        among = "all of this machine" if allowed is None else f"CUDA_VISIBLE_DEVICES='{allowed}'"
        raise RunError(
            f"{platform.node()}: the trial has {gpus} GPUs, TensorFlow finds {len(visible)} among {among}: "
            "is gandist[gpu] installed, and nvidia-smi content? To train on CPUs: --set resources.gpus=0"
        )
    if gpus and threads.deterministic:
        tf.config.experimental.enable_op_determinism()
    if process.in_use():
        return
    tf.config.threading.set_intra_op_parallelism_threads(threads.within)
    tf.config.threading.set_inter_op_parallelism_threads(threads.at_once if threads.deterministic else 0)
    tf.config.set_visible_devices(visible, "GPU")
    for gpu in visible:
        tf.config.experimental.set_memory_growth(gpu, True)
    if not gpus:
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * replicas)
    process.set_to.append(threads)


def sum_over_replicas(values: Any) -> Any:
    """The sum over replicas of each tensor of a nest; called in a replica, every replica gets it."""
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return values
    return context.all_reduce(tf.distribute.ReduceOp.SUM, values)


def assign(variable: tf.Variable, value: tf.Tensor) -> None:
    """Assign this replica's copy of a mirrored variable; every replica must assign the same."""
    tf.raw_ops.AssignVariableOp(resource=variable.handle, value=value)
