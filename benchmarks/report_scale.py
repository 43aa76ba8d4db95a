"""How long `report`, `status` and `jobs` take on a large job, and the most memory that each holds.

    python benchmarks/report_scale.py --trials 1000 --steps 10000

Makes the job if it is not there, see synthetic_job.py. Each command is a process of its own. Of a running job
the first report reads everything, the second only the trial whose last part is newer.
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

from gandist.artifacts.job_dir import JobDir

COMMAND = "from gandist.cli import main; main()"
AGAIN = ("losses.parquet", "curves.parquet", "metrics.parquet", "trials.parquet", "report.html")


def measure(arguments: Sequence[str]) -> tuple[float, float, float]:
    """Seconds, seconds of processor time, and MiB of memory at the most, of one gandist command."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", COMMAND, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(arguments)} failed: {status}")
    scale = 1024 if sys.platform.startswith("linux") else 1024**2
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / scale


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

    last = JobDir(job).trial(JobDir(job).read_manifest().trials[-1].id)
    ended = last.read_state().model_copy(update={"status": "completed"})

    def run() -> None:
        last.write_state(ended.model_copy(update={"status": "running", "updated_at": time.time()}))

    def run_anew() -> None:
        again()
        run()

    def go_on() -> None:
        run()
        os.utime(max((root / "trials" / last.id / "losses").iterdir()))

    def end() -> None:
        again()
        last.write_state(ended)

    cases = {
        "report": (end, ["report", job]),
        "report, running": (run_anew, ["report", job]),
        "report, one trial went on": (go_on, ["report", job]),
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
        seconds, cpu, mebibytes = min(found)
        print(f"{name:<26} {seconds:6.1f} s  {cpu:6.1f} s of CPU  {mebibytes:6.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
