"""Devices: the one strategy of a process, and the arithmetic between its replicas."""

from __future__ import annotations

import functools
import os
from typing import Any

import tensorflow as tf


@functools.cache
def configure(cpus: int, gpus: int, replicas: int) -> tf.distribute.MirroredStrategy:
    """Set this process' devices up, once, and return its strategy: one device is one replica.

    Inter-op parallelism is 1 because it alone makes CPU runs bit-identical, at the same speed: with more, sums are
    accumulated in the order in which kernels happen to finish.

    Args:
        cpus: threads within an operation.
        gpus: GPUs to use; 0 = logical CPU devices.
        replicas: devices of the strategy.

    Raises:
        RuntimeError: the process already runs with other devices.
    """
    if configure.cache_info().currsize:
        raise RuntimeError("this process already trains with other devices: TensorFlow's are set once")
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(cpus)
    visible = tf.config.list_physical_devices("GPU")[:gpus]
    if len(visible) < gpus:
        raise RuntimeError(f"{gpus} GPUs were asked for, TensorFlow finds {len(visible)}")
    tf.config.set_visible_devices(visible, "GPU")
    if visible:
        os.environ.setdefault("TF_CUDNN_DETERMINISTIC", "1")
        for gpu in visible:
            tf.config.experimental.set_memory_growth(gpu, True)
        tf.config.experimental.enable_op_determinism()
        devices = [f"GPU:{index}" for index in range(replicas)]
    else:
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * replicas)
        devices = [f"CPU:{index}" for index in range(replicas)]
    return tf.distribute.MirroredStrategy(devices)


def sum_over_replicas(values: Any) -> Any:
    """The sum over replicas of each tensor of a nest; called in a replica, every replica gets it."""
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return values
    return context.all_reduce(tf.distribute.ReduceOp.SUM, values)


def assign(variable: tf.Variable, value: tf.Tensor) -> None:
    """Assign this replica's copy of a mirrored variable; every replica must assign the same."""
    tf.raw_ops.AssignVariableOp(resource=variable.handle, value=value)
