"""What bit-exact resuming costs on a CPU: images/s with one thread between operations, and with the default.

A fresh process for each measurement, in pairs; the order within a pair alternates, because a shared machine
drifts. Prints JSON: images/s of each run, and the ratio (exact / default) of each pair with its median.
gandist itself has no such choice: the second is made here, by leaving out the one setting.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

JOB = """
name: exactness
data: {name: digits, batch_size: 64}
model: {name: dcgan, width: 16}
training: {epochs: 1}
resources: {gpus: 0}
"""


def measure(kind: str, cpus: int, steps: int) -> None:
    """Print images/s of this process; ``kind`` is exact or default."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    import tensorflow as tf

    from gandist import data
    from gandist.spec.loading import load_job
    from gandist.training import bench, distribution

    if kind == "default":
        set_up = distribution._set_up
        threading = tf.config.threading

        def without(*arguments: int) -> None:
            set_threads = threading.set_inter_op_parallelism_threads
            threading.set_inter_op_parallelism_threads = lambda _: None
            set_up(*arguments)
            threading.set_inter_op_parallelism_threads = set_threads

        distribution._set_up = without
    job = load_job(Path("/dev/stdin"), [f"resources.cpus={cpus}"])
    trial = job.trials[0]
    figures = bench.bench(trial, data.load(trial.data, None), steps)
    if (tf.config.threading.get_inter_op_parallelism_threads() == 1) != (kind == "exact"):
        sys.exit(f"this was not a measurement of {kind}")
    print(json.dumps(figures))


def images_per_s(kind: str, cpus: int, steps: int) -> float:
    """``measure`` in a process of its own."""
    command = [sys.executable, __file__, "--measure", kind, "--cpus", str(cpus), "--steps", str(steps)]
    done = subprocess.run(command, input=JOB, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.strip().splitlines()[-1])["images_per_s"])


def main() -> None:
    """Measure the pairs and print them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--cpus", type=int, default=os.cpu_count(), help="threads within an operation")
    parser.add_argument("--measure", choices=["exact", "default"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        measure(args.measure, args.cpus, args.steps)
        return
    pairs = []
    for index in range(args.pairs):
        order = sorted(["default", "exact"], reverse=bool(index % 2))
        measured = {kind: images_per_s(kind, args.cpus, args.steps) for kind in order}
        pairs.append(measured | {"ratio": measured["exact"] / measured["default"]})
        print(json.dumps(pairs[-1]), file=sys.stderr)
    ratios = [pair["ratio"] for pair in pairs]
    middle = statistics.median(ratios)
    print(
        json.dumps(
            {
                "cpus": args.cpus,
                "pairs": pairs,
                "ratio": {"min": min(ratios), "median": middle, "max": max(ratios)},
            }
        )
    )


if __name__ == "__main__":
    main()
