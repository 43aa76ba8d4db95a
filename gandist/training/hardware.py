"""What a trial runs on, in words."""

from __future__ import annotations

import platform
from pathlib import Path

import tensorflow as tf

from gandist import threads
from gandist.spec.sections import Resources
from gandist.training import distribution


def gpus(resources: Resources) -> int:
    """Whole devices that this process uses: a share of a GPU is one device."""
    if resources.gpus is None:
        return min(1, len(tf.config.list_physical_devices("GPU")))
    return 0 if resources.gpus == 0 else max(1, int(resources.gpus))


def replicas(resources: Resources) -> int:
    """Devices of the strategy: one per GPU; without GPUs as many as asked for, else one."""
    return gpus(resources) or resources.replicas or 1


def strategy(resources: Resources) -> tf.distribute.MirroredStrategy:
    """This process' strategy for a trial with ``resources``. Raises like ``distribution.configure``."""
    return distribution.configure(threads.of(resources), gpus(resources), replicas(resources))


def describe(resources: Resources) -> str:
    """The device's name and how much of it a trial has."""
    count = gpus(resources)
    if count:
        details = tf.config.experimental.get_device_details(tf.config.list_physical_devices("GPU")[0])
        return f"{count} x {details.get('device_name', 'GPU')}"
    shared = ", inter_op" if resources.parallelism == "inter_op" else ""
    return f"{_processor()}, {resources.cpus} thread{'s'[: resources.cpus > 1]}{shared}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
