"""What of a job directory is evaluated afterwards, and how. Loads no TensorFlow: wrong input is told at once.

The directory may be a stranger's: its settings are validated, and no network that they only name is opened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from gandist.artifacts.job_dir import JobDir, TrialDir
from gandist.artifacts.trial_state import DatasetDescription, TrialState
from gandist.artifacts.trials import listed_trials
from gandist.errors import SpecError, UsageError
from gandist.sampling.generators import named, read_trial
from gandist.spec.messages import explain
from gandist.spec.sections import Evaluation
from gandist.spec.trial import TrialSpec

Which = Literal["best", "last", "all"]


@dataclass(frozen=True)
class Asked:
    """How to evaluate; what is not given is as each trial has it.

    Attributes:
        metrics: names.
        features: as in the evaluation section: a name, or a mapping.
        samples: generated images.
    """

    metrics: tuple[str, ...] = ()
    features: Any = None
    samples: int | None = None

    def of(self, trial: TrialSpec) -> TrialSpec:
        """``trial``, to be evaluated so.

        Raises:
            SpecError: there is no such metric, network or number of images.
            UsageError: the trial's own network lies in a file, for which somebody has to vouch.
        """
        own = trial.evaluation or Evaluation()
        if self.features is None and (path := getattr(own.features, "path", None)):
            raise UsageError(
                f"{trial.id}: compares images by the network in {path}, which a stranger may have written; "
                "give --features, if you trust that file"
            )
        asked = {"metrics": self.metrics or None, "features": self.features, "samples": self.samples}
        given = {name: value for name, value in asked.items() if value is not None}
        try:
            evaluation = Evaluation.model_validate({**own.model_dump(mode="json"), **given})
        except ValidationError as error:
            raise SpecError([f"evaluation.{problem}" for problem in explain(error, Evaluation)]) from None
        return trial.model_copy(update={"evaluation": evaluation})


@dataclass(frozen=True)
class Kept:
    """A trial with checkpoints to evaluate.

    Attributes:
        directory: the trial's.
        trial: it, with the evaluation that was asked for.
        state: how it stands.
        dataset: what it was trained on.
        checkpoints: step and path, in the order of steps.
    """

    directory: TrialDir
    trial: TrialSpec
    state: TrialState
    dataset: DatasetDescription
    checkpoints: tuple[tuple[int, str], ...]


def find(
    job_dir: JobDir, wanted: str | None, which: Which, asked: Asked, tell: Callable[[str], None]
) -> list[Kept]:
    """The trials that keep such a checkpoint.

    Args:
        job_dir: the job.
        wanted: a trial; None for all.
        which: of its checkpoints.
        asked: how to evaluate them.
        tell: told of trials that keep none.

    Raises:
        NotAJobError: ``job_dir`` is no job directory.
        SpecError: something in it is not what this gandist knows, or ``asked`` is wrong.
        UsageError: there is no such trial, or no such checkpoint.
        StorageError: the storage refused.
    """
    found, without = [], []
    for name in named(job_dir, listed_trials(job_dir), wanted):
        directory = job_dir.trial(name)
        state, dataset = directory.read_state(), directory.read_dataset()
        chosen = _chosen(directory.checkpoints(), which, state)
        if chosen and dataset is not None:
            trial = asked.of(read_trial(directory))
            found.append(Kept(directory, trial, state, dataset, tuple(chosen)))
        else:
            without.append(name)
    if without:
        more = f" and {len(without) - 1} more" if len(without) > 1 else ""
        what = "best checkpoint; evaluation.select chooses it" if which == "best" else "checkpoint yet"
        line = f"{without[0]}{more}: no {what}"
        if not found:
            raise UsageError(line)
        tell(line)
    return found


def _chosen(kept: list[tuple[int, str]], which: Which, state: TrialState) -> list[tuple[int, str]]:
    if which == "best":
        return [found for found in kept if found[0] == state.best_step]
    return kept if which == "all" else kept[-1:]
