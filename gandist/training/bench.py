"""What a step of one trial computes, how fast and in how much memory; nothing is written."""

from __future__ import annotations

import logging
import resource
import sys
import time
from contextlib import suppress

import tensorflow as tf
from tensorflow.python.framework import ops  # there is no public way into the functions of a graph

from gandist import threads
from gandist.data import Dataset
from gandist.errors import ProcessError
from gandist.spec.trial import TrialSpec
from gandist.training import hardware
from gandist.training.trainer import Trainer


def bench(trial: TrialSpec, dataset: Dataset, steps: int) -> dict[str, float]:
    """Train ``steps`` steps on ``dataset`` after a warm-up.

    Returns:
        ``images_per_s``: real images shown to the discriminator a second; ``ms_per_step``; ``compile_s``:
        seconds of the first step, tracing and compilation included; ``peak_memory_gib``: of the first GPU, or
        of this process where there is none, data set and TensorFlow included; and ``sizes``.

    Raises:
        ProcessError: this process computes with other threads.
    """
    if why := threads.why_inexact(threads.of(trial.resources)):
        raise ProcessError(f"resources: {why}: measure it there")
    trainer = Trainer(trial, dataset, hardware.strategy(trial.resources))
    began = time.perf_counter()
    trainer.run(1)
    compile_s = time.perf_counter() - began
    trainer.run(2)
    began = time.perf_counter()
    trainer.run(2 + steps)
    seconds = time.perf_counter() - began
    return {
        "images_per_s": steps * trainer.budget.images_per_step / seconds,
        "ms_per_step": 1000 * seconds / steps,
        "compile_s": compile_s,
        "peak_memory_gib": _peak_memory(hardware.gpus(trial.resources)) / 2**30,
        **sizes(trainer),
    }


def sizes(trainer: Trainer) -> dict[str, float]:
    """What a trainer is about to compute.

    Returns:
        ``generator_parameters`` and ``discriminator_parameters``; ``gflop_per_step``: billions of
        floating-point operations of one step over a replica's part of the batch, a multiplication and an
        addition counted as two. Lazy regularizers are counted as if used.
    """
    tf.get_logger().addFilter(_is_no_deprecation)  # of what TensorFlow's own counting calls
    try:
        operations = _operations(trainer.traced())
    finally:
        tf.get_logger().removeFilter(_is_no_deprecation)
    return {
        "generator_parameters": trainer.gan.generator.count_params(),
        "discriminator_parameters": trainer.gan.discriminator.count_params(),
        "gflop_per_step": operations / 1e9,
    }


def _operations(graph: tf.Graph) -> float:
    """Floating-point operations of what ``graph`` and the functions that it calls need for their results."""
    pending = [*(tensor.op for tensor in graph.outputs), *graph.control_outputs]
    needed = set()  # gradients that nobody takes are traced, too; TensorFlow prunes them before it runs
    total = 0.0
    while pending:
        operation = pending.pop()
        if operation in needed:
            continue
        needed.add(operation)
        pending += [*(tensor.op for tensor in operation.inputs), *operation.control_inputs]
        with suppress(ValueError):  # of a shape that is not known: none of a network's layers
            total += ops.get_stats_for_node_def(graph, operation.node_def, "flops").value or 0
        for attribute in operation.node_def.attr.values():
            for called in (attribute.func, *attribute.list.func):
                if called.name in graph._functions:
                    total += _operations(graph._functions[called.name].graph)
    return total


def _is_no_deprecation(record: logging.LogRecord) -> bool:
    return "deprecated" not in record.getMessage()


def _peak_memory(gpus: int) -> int:
    """Bytes that the first of ``gpus``, or else this process, has had at most."""
    if gpus:
        peak: int = tf.config.experimental.get_memory_info("GPU:0")["peak"]
        return peak
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
