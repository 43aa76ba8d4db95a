"""Devices: the one strategy of a process, and the arithmetic between its replicas."""

from __future__ import annotations

import functools
import os
import platform
from typing import Any

import tensorflow as tf

from gandist.errors import RunError


@functools.cache
def configure(
    cpus: int, gpus: int, replicas: int, deterministic: bool = True
) -> tf.distribute.MirroredStrategy:
    """This process' strategy: one device is one replica.

    Threads and devices are set by the first call, for the life of the process; a later one may use fewer
    replicas.

    Args:
        cpus: threads within an operation.
        gpus: GPUs to use; 0 = logical CPU devices.
        replicas: devices of the strategy.
        deterministic: whether a run has the same bits each time.

    Raises:
        RunError: TensorFlow finds fewer GPUs than that.
        RuntimeError: the process already runs with other devices.
    """
    if not _set_up_as:
        _set_up(cpus, gpus, replicas, deterministic)
        _set_up_as.append(deterministic)
    kind = "GPU" if gpus else "CPU"
    devices = tf.config.list_logical_devices(kind)
    threads = tf.config.threading.get_intra_op_parallelism_threads()
    if len(devices) < replicas or threads != cpus or _set_up_as != [deterministic]:
        raise RuntimeError(
            f"this process has {len(devices)} {kind} devices with {threads} threads, deterministic: "
            f"{_set_up_as[0]}, set once for its life; a trial with {replicas} replicas and {cpus} threads, "
            f"deterministic: {deterministic}, needs a process of its own"
        )
    # GPUs add with NCCL; logical CPUs share memory, and collectives would allow one replica count a process.
    reduction = None if gpus else tf.distribute.ReductionToOneDevice()
    return tf.distribute.MirroredStrategy([device.name for device in devices[:replicas]], reduction)


_set_up_as: list[bool] = []
"""Whether this process is deterministic; empty before it was set up."""


def _set_up(cpus: int, gpus: int, replicas: int, deterministic: bool) -> None:
    visible = tf.config.list_physical_devices("GPU")[:gpus]
    if len(visible) < gpus:
        allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
        among = "all of this machine" if allowed is None else f"CUDA_VISIBLE_DEVICES='{allowed}'"
        raise RunError(
            f"{platform.node()}: the trial has {gpus} GPUs, TensorFlow finds {len(visible)} among {among}: "
            "is gandist[gpu] installed, and nvidia-smi content? To train on CPUs: --set resources.gpus=0"
        )
    # Inter-op parallelism of 1 alone makes CPU runs bit-identical, at the same speed: with more, sums are
    # accumulated in the order in which kernels happen to finish.
    tf.config.threading.set_inter_op_parallelism_threads(1 if deterministic else 0)
    tf.config.threading.set_intra_op_parallelism_threads(cpus)
    tf.config.set_visible_devices(visible, "GPU")
    for gpu in visible:
        tf.config.experimental.set_memory_growth(gpu, True)
    if gpus and deterministic:
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
