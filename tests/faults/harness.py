"""A small job that is killed at chosen moments, and hashes of all that must not depend on it.

Linux: processes are found in /proc. A driver is started in a session of its own, which its Ray and the actors
inherit, also after their parents are gone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from signal import SIGHUP, SIGINT, SIGKILL, SIGTERM, Signals
from types import TracebackType
from typing import Literal, Self, get_args

from gandist.artifacts.job_dir import JobDir, TrialDir

STEPS = 240
CHECKPOINT_STEPS = (
    5  # grids each 7 steps: a driver that is told to stop leaves a checkpoint between two of these
)
SEEDS = (0, 1)
JOB = f"""
name: small
data: {{name: digits, batch_size: 16}}
model: {{name: dcgan, width: 2, kernel_size: 3, latent_dim: 8}}
optimizer: {{learning_rate: 1.0e-3, beta_1: 0.5}}
training: {{steps: {STEPS}, generator_ema: 0.9}}
checkpoint: {{every_steps: {CHECKPOINT_STEPS}, keep: 3}}
samples: {{every_steps: 7, rows: 2, columns: 2}}
seeds: {list(SEEDS)}
resources: {{gpus: 0, cpus: 1}}
schedule: {{max_failures: 20}}
"""
ONE_SEED = ["--set", "seeds=[0]"]
SHORT = [*ONE_SEED, "--set", "training.steps=80"]
"""For faults at a moment of one trial, and not anywhere in a job."""
PATIENCE_S = 280.0
POLL_S = 0.002  # a write takes a few milliseconds, and some faults have to hit one

BARE = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("RAY_", "GANDIST_", "AWS_", "PYTEST"))
} | {"PYTHONPATH": str(Path(__file__).parents[2])}
"""The environment, without what would lead the driver elsewhere."""


def session(leader: int) -> dict[int, str]:
    """The titles of the living processes of a session, by their ids."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status, _, _, member_of = (folder / "stat").read_text().rpartition(") ")[2].split()[:4]
            title = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(member_of) == leader and status != "Z":
            found[int(folder.name)] = title
    return found


def actors(leader: int) -> list[int]:
    """The processes of a session that run trials, in the order in which they were started."""
    return sorted(pid for pid, title in session(leader).items() if title.startswith("ray::TrialActor"))


def send(pids: Sequence[int], number: Signals) -> None:
    """Signal each process that is still there."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def end(leader: int) -> None:
    """Kill every process of a session, frozen ones too, and wait until they are gone."""
    deadline = time.monotonic() + PATIENCE_S
    while (left := session(leader)) and time.monotonic() < deadline:
        send(list(left), SIGKILL)
        time.sleep(POLL_S)


def job_directory(folder: Path) -> JobDir:
    """Where a driver in ``folder`` keeps its job."""
    return JobDir(str(folder / "runs" / "small"))


class Driver:
    """``gandist run`` of the small job in ``folder``; leaving the context kills all that is left of it.

    Args:
        folder: where the job file, the output and ``runs`` lie; the job goes on where it holds one.
        options: more of the command line.
        environment: added to that of this process.
        storage: where the job directory lies; None = ``runs`` in ``folder``.
    """

    def __init__(
        self,
        folder: Path,
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        storage: str | None = None,
    ) -> None:
        self.job_dir = JobDir(f"{storage}/small") if storage else job_directory(folder)
        self._output = folder / "output.txt"
        job_file = folder / "job.yaml"
        job_file.write_text(JOB)
        self._said_before = self._output.stat().st_size if self._output.exists() else 0
        place = storage or folder / "runs"
        command = [sys.executable, "-m", "gandist", "run", job_file, "--storage", place, *options]
        with self._output.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=folder,
                env={**BARE, **(environment or {})},
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        end(self.process.pid)
        self.process.wait()

    @property
    def output(self) -> str:
        """What this driver has printed so far."""
        return self._output.read_bytes()[self._said_before :].decode(errors="replace")

    @property
    def actors(self) -> list[int]:
        """Its processes that run trials on this machine's own Ray."""
        return actors(self.process.pid)

    def until(self, condition: Callable[[], bool], patience_s: float = PATIENCE_S) -> bool:
        """Wait for ``condition``; False where the driver ends before that."""
        deadline = time.monotonic() + patience_s
        while not condition():
            if self.process.poll() is not None:
                return False
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing in {patience_s:.0f} s; the driver says:\n{self.output[-3000:]}")
            time.sleep(POLL_S)
        return True

    def wait(self, patience_s: float = PATIENCE_S) -> int:
        """Its exit code, once it has ended."""
        self.until(lambda: False, patience_s)
        return self.process.wait()


Phase = Literal["starting", "training", "writing", "ending"]


@dataclass(frozen=True)
class Moment:
    """A point in a trial's life, told by what it leaves in storage."""

    phase: Phase
    seed: int = 0
    step: int = 0
    """For training and writing: once a checkpoint after this step is there."""

    def __str__(self) -> str:
        return f"seed{self.seed}-{self.phase}" + (f"-{self.step}" if self.step else "")

    def is_reached(self, driver: Driver) -> bool:
        """Whether the trial is there, or further."""
        trial = driver.job_dir.trial(f"base-seed{self.seed}")
        if self.phase == "starting":
            return f"{trial.id}  starting" in driver.output
        if self.phase == "ending":
            return trial.storage.exists(TrialDir.GENERATOR)
        step = newest_step(trial)
        if self.phase == "training" or step < self.step:
            return step >= self.step
        # A write is over within milliseconds: where several were missed, the moment is taken as it comes.
        return step >= self.step + 4 * CHECKPOINT_STEPS or is_writing(Path(trial.storage.root))


def is_writing(folder: Path) -> bool:
    """Whether a file in it is not finished."""
    # Unlike rglob it bears that folders vanish while it looks.
    return any(name.endswith(".tmp") for _, _, names in os.walk(folder) for name in names)


def newest_step(trial: TrialDir) -> int:
    """The last step that a checkpoint was begun for."""
    return max((step for step, _ in trial.checkpoints()), default=0)


Damage = Literal["truncate", "flip", "delete"]
Target = Literal["actor", "actors", "driver", "raylet", "head"]
RAYS_OWN = {"raylet": "/raylet/raylet ", "head": "/gcs/gcs_server "}
"""What the processes of Ray itself are called, without which a driver cannot go on."""
HANG_S = 60.0


def damage(trial: TrialDir, how: Damage) -> bool:
    """Spoil the newest whole checkpoint; False where there is none."""
    whole = [path for _, path in trial.checkpoints() if trial.storage.exists(f"{path}/manifest.json")]
    if not whole:
        return False
    for file in Path(trial.storage.where(whole[-1])).glob("*.npz"):
        content = bytearray(file.read_bytes())
        if how == "delete":
            file.unlink()
        elif how == "truncate":
            file.write_bytes(content[: len(content) // 2])
        else:
            content[len(content) // 2] ^= 1
            file.write_bytes(content)
    return True


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and when."""

    target: Target
    signal: Signals
    moment: Moment
    damage: Damage | None = None
    """Done to the newest checkpoint of the moment's trial before the driver is started again."""

    def __str__(self) -> str:
        return f"{self.target}-{self.signal.name}-{self.moment}" + (f"-{self.damage}" if self.damage else "")


def random_faults(random: Random, targets: Sequence[Target], count: int) -> list[Fault]:
    """``count`` faults along the way of a job, in the order of their steps."""
    faults = []
    for step in sorted(random.sample(range(1, STEPS - 20), count)):
        target = random.choice(targets)
        phase: Phase = random.choice(("training", "training", "writing"))
        if random.random() < 0.15:
            phase = "ending" if step > STEPS / 2 else "starting"
        numbers = {"driver": (SIGKILL, SIGTERM, SIGINT, SIGHUP), "raylet": (SIGKILL,), "head": (SIGKILL,)}
        spoil = target == "driver" and random.random() < 0.5
        faults.append(
            Fault(
                target,
                random.choice(numbers.get(target, (SIGKILL, SIGTERM))),
                Moment(phase, random.choice(SEEDS), step if phase in ("training", "writing") else 0),
                random.choice(get_args(Damage)) if spoil else None,
            )
        )
    return faults


@dataclass(frozen=True)
class Survived:
    """How a job came through its faults."""

    struck: tuple[Fault, ...]
    """The faults that it met: a trial may be through before a late moment is noticed."""
    damaged: int
    exit_code: int
    output: str
    """Of the last driver."""


def run_through(folder: Path, faults: Sequence[Fault] = (), options: Sequence[str] = ()) -> Survived:
    """Run the small job in ``folder`` to its end; a driver that a fault ends is started again at once.

    Raises:
        AssertionError: a driver left with a code that does not fit its signal.
    """
    queue, struck, damaged = list(faults), [], 0
    with ExitStack() as drivers:  # ended together: what a killed driver leaves running meets the next one
        while True:
            driver = drivers.enter_context(Driver(folder, options))
            fatal = _strike(driver, queue, struck)
            code = driver.wait(HANG_S if fatal and fatal.target in RAYS_OWN else PATIENCE_S)
            if fatal is None:
                return Survived(tuple(struck), damaged, code, driver.output)
            # A driver that was through when the signal came leaves as if it had not come.
            allowed = (1, 0) if fatal.target in RAYS_OWN else (-fatal.signal, 128 + fatal.signal, 0)
            assert code in allowed, f"{fatal}: the driver left with {code}:\n{driver.output[-3000:]}"
            if fatal.target in RAYS_OWN:
                assert not (left := session(driver.process.pid)), f"{fatal}: still there: {left}"
            if fatal.damage:
                end(driver.process.pid)  # an orphan could write another checkpoint after it
                damaged += damage(driver.job_dir.trial(f"base-seed{fatal.moment.seed}"), fatal.damage)


def _strike(driver: Driver, queue: list[Fault], struck: list[Fault]) -> Fault | None:
    """Let the faults of ``queue`` happen, moved to ``struck``; up to one that ends the driver: that one."""
    while queue and driver.until(lambda: queue[0].moment.is_reached(driver)):
        fault = queue[0]
        if fault.target == "driver":
            driver.process.send_signal(fault.signal)
        elif fault.target in RAYS_OWN:
            title = RAYS_OWN[fault.target]
            send([pid for pid, shown in session(driver.process.pid).items() if title in shown], fault.signal)
        elif driver.until(lambda: bool(driver.actors)):
            send(driver.actors[: 1 if fault.target == "actor" else None], fault.signal)
        else:
            break
        struck.append(queue.pop(0))
        if fault.target == "driver" or fault.target in RAYS_OWN:
            return fault
    return None
