"""Is anything ever lost? One small job again and again, with actors and drivers killed at random moments.

    python benchmarks/chaos.py --minutes 10 --seed 1

Each round runs the job in a fresh directory through a few faults: SIGKILL or SIGTERM of actors,
SIGKILL, SIGTERM, SIGINT or SIGHUP of the driver, SIGKILL of its raylet or its head (GCS). After the death
of Ray's own processes the driver has to end within a minute and to leave none behind. It is started again,
half of the time after its signal with its newest checkpoint damaged. What it leaves must be what a run
without faults leaves: the merged losses but for their wall-clock time, the exported generators' weights and
the sample grids' pixels, with each step once in the Parquet parts. Prints a JSON summary and exits with 1
if any round differs. Linux; a round takes 1 to 2 minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.faults.fingerprint import differences, fingerprint
from tests.faults.harness import Fault, job_directory, random_faults, run_through


def one_round(folder: Path, faults: list[Fault], expected: dict[str, str]) -> dict[str, Any]:
    """Run the job through ``faults``; what happened, and what is not as expected."""
    folder.mkdir()
    began = time.monotonic()
    struck: tuple[Fault, ...] = ()
    try:
        survived = run_through(folder, faults)
        struck = survived.struck
        if survived.exit_code == 0:
            wrong: Any = differences(fingerprint(job_directory(folder)), expected)
        else:
            wrong = {"exit code": survived.exit_code, "output": survived.output[-2000:]}
    except Exception as error:  # noqa: BLE001 - whatever it is, the other rounds go on
        wrong = {"error": f"{type(error).__name__}: {error}"}
    return {
        "faults": [str(fault) for fault in struck],
        "missed": [str(fault) for fault in faults if fault not in struck],
        "seconds": round(time.monotonic() - began, 1),
        "wrong": wrong,
    }


def main() -> None:
    """Rounds until there were enough; the summary."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--rounds", type=int, help="how many")
    length.add_argument("--minutes", type=float, default=5.0, help="no round begins after that long")
    parser.add_argument("--faults", type=int, default=4, help="of a round, at the most")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the faults; round k is the same for the same seed"
    )
    args = parser.parse_args()
    rounds: list[dict[str, Any]] = []
    kinds: Counter[str] = Counter()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gandist-chaos-") as temporary:
        reference = Path(temporary) / "reference"
        reference.mkdir()
        if run_through(reference).exit_code != 0:
            sys.exit("the run without faults did not succeed")
        expected = fingerprint(job_directory(reference))
        while len(rounds) < args.rounds if args.rounds else time.monotonic() - began < 60 * args.minutes:
            source = random.Random(f"{args.seed} {len(rounds)}")  # noqa: S311
            faults = random_faults(
                source, ["actor", "actors", "driver", "raylet", "head"], source.randint(1, args.faults)
            )
            folder = Path(temporary) / f"round-{len(rounds)}"
            done = one_round(folder, faults, expected)
            rounds.append(done)
            kinds.update(kind(fault) for fault in faults if str(fault) in done["faults"])
            print(json.dumps(done), file=sys.stderr)
    wrong = [{"round": index, **done} for index, done in enumerate(rounds) if done["wrong"]]
    summary = {
        "rounds": len(rounds),
        "faults": dict(sorted(kinds.items())),
        "identical": len(rounds) - len(wrong),
        "mismatches": wrong,
        "seed": args.seed,
        "minutes": round((time.monotonic() - began) / 60, 1),
    }
    print(json.dumps(summary, indent=1))
    sys.exit(1 if wrong else 0)


def kind(fault: Fault) -> str:
    """``SIGKILL of driver, then flip``."""
    return f"{fault.signal.name} of {fault.target}" + (f", then {fault.damage}" if fault.damage else "")


if __name__ == "__main__":
    main()
