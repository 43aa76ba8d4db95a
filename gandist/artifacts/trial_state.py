"""The small documents of a trial: how it stands, and what data it was made for."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from gandist.artifacts import documents, tables
from gandist.artifacts.documents import Amount, Count, Line, Loss, Time
from gandist.artifacts.statuses import FORMER, MEANINGS, Meaning, Status

MAX_NOTES = 100
MAX_PHASES = 100


def _of_today(status: object) -> object:
    return FORMER.get(status, status) if isinstance(status, str) else status


def _budget(text: str) -> str:
    values = documents.parse_json(text.encode()) if text else {}
    if not isinstance(values, dict) or not all(type(value) in (int, float) for value in values.values()):
        raise ValueError("not a budget")
    return text


Figure = Annotated[str, Field(pattern=f"^{tables.FIGURE.pattern}$")]
Side = Annotated[int, Field(ge=1, le=10**9)]


class TrialState(BaseModel):
    """How a trial stands; ``state.json``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    status: Annotated[Status, BeforeValidator(_of_today)] = "queued"
    reason: Line = ""
    attempts: Count = 0
    step: Count = 0
    total_steps: Count = 0
    kimg: Amount = 0.0
    train_s: Amount = 0.0
    """Seconds spent in training steps, over all attempts."""
    images_per_s: Amount = 0.0
    compile_s: Amount = 0.0
    d_loss: Loss | None = None
    g_loss: Loss | None = None
    """Of the last step."""
    best_step: Count | None = None
    """The best one by ``evaluation.select``, so far."""
    best_value: Loss | None = None
    """Of the metric that selects, after ``best_step``; of another split than the values that are reported."""
    device: Line = ""
    replicas: Count = 0
    host: Line = ""
    started_at: Time = 0.0
    """Unix time of the first attempt."""
    updated_at: Time = 0.0
    checkpointed_at: Time = 0.0
    """Unix time at which its newest checkpoint was finished; 0 where none was, or nobody has said so."""
    identity: Line = ""
    """``TrialSpec.identity()`` of what was trained."""
    budget: Annotated[Line, AfterValidator(_budget)] = ""
    """``TrialSpec.budget()`` that it trains for."""
    figures: Annotated[tuple[Figure, ...], Field(max_length=tables.MAX_FIGURES)] = ()
    """What its steps log besides ``tables.LOSSES``."""
    seconds: Annotated[dict[Line, Amount], Field(max_length=MAX_PHASES)] = {}
    """What its time went to, over all attempts: ``training``, ``grids``, ``evaluation``, ..."""
    activity: Line = ""
    """What takes long just now besides training steps, as text: ``str(Activity)``."""
    notes: Annotated[tuple[Line, ...], AfterValidator(lambda notes: notes[-MAX_NOTES:])] = ()
    """What a reader of the results should know: fallbacks, changes of replicas."""

    @property
    def meaning(self) -> Meaning:
        """What its status means."""
        return MEANINGS[self.status]

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to train."""
        return self.meaning.final


class DatasetDescription(BaseModel):
    """What a trial's networks were made for; ``dataset.json``. Enough to rebuild them without the data."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    image_shape: tuple[Side, Side, Side]
    """``(height, width, channels)``."""
    class_names: tuple[Line, ...]
    images: Annotated[Count, Field(ge=1)]
    fingerprint: Line
    """Of the content: ``Dataset.fingerprint``."""
    summary: Line = ""
    left_out: Annotated[tuple[Line, ...], AfterValidator(lambda lines: lines[:MAX_NOTES])] = ()
    """What to tell of it: ``Dataset.lines``. No part of what it is."""

    @property
    def content(self) -> dict[str, Any]:
        """What must be the same where a trial goes on."""
        return self.model_dump(exclude={"summary", "left_out"})

    @property
    def lines(self) -> tuple[str, ...]:
        """What to tell of it."""
        return tuple(line for line in (self.summary, *self.left_out) if line)
