"""gandist's trainer against the tutorials' loop, in turn, each in a process of its own.

    python benchmarks/against_plain_loop.py [--system dcgan|mlp] [--pairs 5] [--steps 30] [--data-dir DIR]

Prints JSON: steps/s of each run, and the ratio (gandist / plain) of each pair with its median. Pairs,
because a shared machine drifts; the order within a pair alternates, because whoever runs second finds a
warmer machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
JOBS = HERE.parent / "jobs"
SYSTEMS = {
    "dcgan": (JOBS / "mnist_dcgan.yaml", HERE / "plain_dcgan.py"),
    "mlp": (JOBS / "mnist_mlp_gan.yaml", HERE / "plain_mlp.py"),
}


def steps_per_s(command: list[str]) -> float:
    """What a benchmark that prints JSON on its last line measured."""
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return 1000 / float(json.loads(done.stdout.strip().splitlines()[-1])["ms_per_step"])


def main() -> None:
    """Measure the pairs and print them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--system", choices=SYSTEMS, default="dcgan")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--data-dir", type=Path, help="where mnist.npz lies; without it Keras downloads it")
    args = parser.parse_args()
    rest = ["--steps", str(args.steps)] + (["--data-dir", str(args.data_dir)] if args.data_dir else [])
    job, plain = SYSTEMS[args.system]
    commands = {
        "gandist": [sys.executable, "-m", "gandist", "bench", str(job), "--json", *rest],
        "plain": [sys.executable, str(plain), *rest],
    }
    pairs = []
    for index in range(args.pairs):
        order = sorted(commands, reverse=bool(index % 2))
        measured = {name: steps_per_s(commands[name]) for name in order}
        pairs.append(measured | {"ratio": measured["gandist"] / measured["plain"]})
        print(json.dumps(pairs[-1]), file=sys.stderr)
    ratios = [pair["ratio"] for pair in pairs]
    print(
        json.dumps(
            {
                "pairs": pairs,
                "ratio": {"min": min(ratios), "median": statistics.median(ratios), "max": max(ratios)},
            }
        )
    )


if __name__ == "__main__":
    main()
