"""How long `report`, `status` and `jobs` take on a large job, and the most memory that each holds.

    python benchmarks/report_scale.py --trials 1000 --steps 10000

Makes the job if it is not there, see synthetic_job.py. Each command is a process of its own; the second
`report` finds everything unchanged, the third one trial that has gone on.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from synthetic_job import make_job

COMMAND = "from gandist.cli import main; main()"
AGAIN = ("losses.parquet", "metrics.parquet", "trials.parquet", "report.html")


def measure(arguments: Sequence[str]) -> tuple[float, float]:
    """Seconds, and MiB of memory at the most, of one gandist command."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", COMMAND, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(arguments)} failed: {status}")
    scale = 1024 if sys.platform.startswith("linux") else 1024**2
    return time.perf_counter() - began, usage.ru_maxrss / scale


def main() -> None:
    """As the module says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--parts", type=int, default=4)
    parser.add_argument("--storage", type=Path, default=Path(tempfile.gettempdir()) / "gandist-scale")
    parser.add_argument("--repeats", type=int, default=1)
    given = parser.parse_args()
    root = given.storage / f"{given.trials}x{given.steps}x{given.parts}"
    if not (root / "manifest.json").exists():
        make_job(root, given.trials, given.steps, given.parts)
    job = str(root)

    def again() -> None:
        for name in AGAIN:
            (root / name).unlink(missing_ok=True)

    def touch() -> None:
        last = sorted((root / "trials").iterdir())[-1]
        os.utime(max((last / "losses").iterdir()))

    cases = {
        "report": (again, ["report", job]),
        "report, unchanged": (lambda: None, ["report", job]),
        "report, one trial changed": (touch, ["report", job]),
        "status": (lambda: None, ["status", job]),
        "jobs": (lambda: None, ["jobs", str(given.storage)]),
    }
    load = os.getloadavg()[0]
    print(
        f"{given.trials:,} trials x {given.steps:,} steps in {given.parts} parts each; load {load:.1f} before"
    )
    for name, (prepare, arguments) in cases.items():
        found = []
        for _ in range(given.repeats):
            prepare()
            found.append(measure(arguments))
        seconds, mebibytes = min(found)
        print(f"{name:<28} {seconds:6.1f} s  {mebibytes:7.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
