"""Devices: the one strategy of a process, and the arithmetic between its replicas."""

from __future__ import annotations

import functools
import os
import platform
from typing import Any, NamedTuple

import tensorflow as tf

from gandist.errors import ProcessError, RunError


class Threads(NamedTuple):
    """What a process computes with; set once for its life.

    Runs are bit-identical where an operation has several threads, or several operations run at once, but not
    where both do: then sums are accumulated in the order in which threads happen to finish.

    Attributes:
        within: threads of an operation.
        at_once: operations that run at the same time.
        deterministic: whether a run has the same bits each time; without, TensorFlow chooses ``at_once``.
    """

    within: int
    at_once: int = 1
    deterministic: bool = True

    def __str__(self) -> str:
        return (
            f"threads in an operation: {self.within}, operations at once: {self.at_once}, "
            f"deterministic: {self.deterministic}"
        )


@functools.cache
def configure(threads: Threads, gpus: int, replicas: int) -> tf.distribute.MirroredStrategy:
    """This process' strategy: one device is one replica.

    Threads and devices are set by the first call, for the life of the process; a later one may use fewer
    replicas.

    Args:
        threads: of this process.
        gpus: GPUs to use; 0 = logical CPU devices.
        replicas: devices of the strategy.

    Raises:
        RunError: TensorFlow finds fewer GPUs than that.
        ProcessError: the process already runs with other devices.
    """
    if not _set_up_as:
        _set_up(threads, gpus, replicas)
        _set_up_as.append(threads)
    kind = "GPU" if gpus else "CPU"
    devices = tf.config.list_logical_devices(kind)
    if len(devices) < replicas or _set_up_as != [threads]:
        raise ProcessError(
            f"resources: this process was set up, once for its life, with {len(devices)} {kind} devices "
            f"({_set_up_as[0]}), and the trial needs {replicas} ({threads}); run it in a new process"
        )
    # GPUs add with NCCL; logical CPUs share memory, and collectives would allow one replica count a process.
    reduction = None if gpus else tf.distribute.ReductionToOneDevice()
    return tf.distribute.MirroredStrategy([device.name for device in devices[:replicas]], reduction)


_set_up_as: list[Threads] = []
"""Empty before this process was set up."""


def _set_up(threads: Threads, gpus: int, replicas: int) -> None:
    visible = tf.config.list_physical_devices("GPU")[:gpus]
    if len(visible) < gpus:
        allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
        among = "all of this machine" if allowed is None else f"CUDA_VISIBLE_DEVICES='{allowed}'"
        raise RunError(
            f"{platform.node()}: the trial has {gpus} GPUs, TensorFlow finds {len(visible)} among {among}: "
            "is gandist[gpu] installed, and nvidia-smi content? To train on CPUs: --set resources.gpus=0"
        )
    tf.config.threading.set_intra_op_parallelism_threads(threads.within)
    tf.config.threading.set_inter_op_parallelism_threads(threads.at_once if threads.deterministic else 0)
    tf.config.set_visible_devices(visible, "GPU")
    for gpu in visible:
        tf.config.experimental.set_memory_growth(gpu, True)
    if gpus and threads.deterministic:
        tf.config.experimental.enable_op_determinism()
    if not gpus:
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * replicas)


def sum_over_replicas(values: Any) -> Any:
    """The sum over replicas of each tensor of a nest; called in a replica, every replica gets it."""
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return values
    return context.all_reduce(tf.distribute.ReduceOp.SUM, values)


def assign(variable: tf.Variable, value: tf.Tensor) -> None:
    """Assign this replica's copy of a mirrored variable; every replica must assign the same."""
    tf.raw_ops.AssignVariableOp(resource=variable.handle, value=value)
