"""``manifest.json``: the trials of a job, and what made them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from gandist.artifacts.documents import INT64, Amount, Line

# It becomes a directory: no slash, so that it cannot lead out of the job.
DirectoryName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._=,+-]{0,199}$")]


class ListedTrial(BaseModel):
    """A trial that the job has, or has had."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: DirectoryName
    config: DirectoryName
    seed: Annotated[int, Field(strict=True, ge=0, lt=INT64)]


class Manifest(BaseModel):
    """What lies in ``manifest.json``. A field that is not what it should be is read as not given."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    job: Line = ""
    created_at: AwareDatetime | None = None
    gandist: Line = ""
    """The version that ran it last; so are the fields up to ``spec_hash``."""
    submitted_by: Line = ""
    """Empty where that is not known, or not to be told."""
    versions: dict[Line, Line | None] = {}
    """Of the packages that numbers depend on; None for one that is not installed."""
    plugins: dict[Line, Line] = {}
    """Those that were allowed: by name, ``sha256:`` and a file's hash, or a package and its version."""
    git_commit: Line | None = None
    spec_hash: Line = ""
    configs: dict[Line, dict[Line, Any]] = {}
    """The value of each path of the sweep, for each configuration."""
    start_s: Amount | None = None
    """From the last command's start to its first trial: settings read, data looked for, Ray started."""
    trials: tuple[ListedTrial, ...] = ()
    """In order, each once."""
    problems: Annotated[tuple[str, ...], Field(exclude=True)] = ()
    """What is listed and is no trial, one line each: left out of ``trials``."""

    @model_validator(mode="before")
    @classmethod
    def _only_trials(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        entries = values.get("trials", [])
        found: dict[str, ListedTrial] = {}
        problems = [] if isinstance(entries, list | tuple) else ["trials is no list: left out"]
        for position, entry in enumerate([] if problems else entries):
            try:
                trial = ListedTrial.model_validate(entry)
            except ValidationError:
                problems.append(f"trials[{position}] is not an id, a config and a seed: left out")
                continue
            if found.setdefault(trial.id, trial) is not trial:
                problems.append(f"{trial.id} is listed twice: read once")
        return {**values, "trials": tuple(found.values()), "problems": tuple(problems)}

    @model_validator(mode="wrap")
    @classmethod
    def _without_what_is_none(cls, values: Any, validate: Callable[[Any], Manifest]) -> Manifest:
        try:
            return validate(values)
        except ValidationError as error:
            wrong = {problem["loc"][0] for problem in error.errors() if problem["loc"]}
            if not wrong or not isinstance(values, dict):
                raise
            return validate({name: value for name, value in values.items() if name not in wrong})
