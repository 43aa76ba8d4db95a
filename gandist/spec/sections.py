"""The sections of a job file that have no choice of names: how long, how often, on what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from gandist import metrics
from gandist.features import Features
from gandist.spec.base import MAY_CHANGE, Positive, Section
from gandist.spec.notify import Addresses
from gandist.spec.overrides import BUDGETS, CADENCES
from gandist.spec.renamed import refuse_metric
from gandist.spec.schedules import Decay, WithinOrHalfLife
from gandist.spec.variants import names
from gandist.updates import RULES, Update

if TYPE_CHECKING:
    Metric = str
    Rule = str
else:
    Rule = names(RULES)
    Metric = Annotated[metrics.MetricName, BeforeValidator(refuse_metric)]


class EarlyStopping(Section):
    """Ends a trial that has become unstable; its state is then ``unstable``, which no average counts.

    Windows lie side by side from step 1, so that where a trial ends does not depend on how it was cut.
    """

    window: Positive = Field(200, description="steps over which the losses are averaged")
    patience: Positive = Field(1, description="windows in a row that must be out of bounds")
    d_loss_below: float | None = Field(None, description="the discriminator has won")
    g_loss_above: float | None = Field(None, description="the generator has lost")

    @model_validator(mode="after")
    def _some_bound(self) -> EarlyStopping:
        if self.d_loss_below is None and self.g_loss_above is None:
            raise ValueError("give d_loss_below, g_loss_above, or both")
        return self


class DiscriminatorWon(Section):
    """When a discriminator has won: it makes so few mistakes, for so long, that the generator is lost.

    A trial that ends so is ``discriminator_won``. That is no matter of the losses' bounds alone: a critic of
    Wasserstein's has none, and never counts as having won.
    """

    margin: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.05, description="d_loss above the least that it can be, as a share of what guessing costs"
    )
    steps: Annotated[int, Field(ge=10, le=10**9)] = Field(1000, description="up to the end, all through")


class ModeCollapse(Section):
    """When images have collapsed: the last evaluations found too little of the data in them.

    A trial that ends so is ``mode_collapse``. One that recovers is none; one that has not begun to learn is.
    """

    modes: Annotated[float, Field(ge=0, le=1)] = Field(
        0.5, description="share of the classes (metric modes) that a perfect generator would have"
    )
    recall: Annotated[float, Field(ge=0, le=1)] = Field(0.02, description="of the metric prdc")
    evaluations: Positive = Field(3, description="in a row, up to the last one; all where there are fewer")
    ends: bool = Field(False, description="whether the training ends as soon as that holds")


class Training(Section):
    """How long, and in which order the two networks are updated. One step is one generator update."""

    epochs: Annotated[Positive | None, MAY_CHANGE] = Field(None, description="passes over the data set")
    steps: Annotated[Positive | None, MAY_CHANGE] = Field(None, description="generator updates")
    kimg: Annotated[Annotated[float, Field(gt=0)] | None, MAY_CHANGE] = Field(
        None, description="thousand real images shown to the discriminator"
    )
    update: Rule = Field(
        "simultaneous",
        description="simultaneous: both gradients from one forward pass; alternating: discriminator first; "
        "half_batches: discriminator on half a batch of real images, then on half a batch of generated ones "
        "(made in inference mode), then the generator on a whole batch",
    )
    n_critic: Positive = Field(1, description="discriminator updates per step")
    generator_ema: Annotated[Decay, WithinOrHalfLife(gt=0, lt=1)] | None = Field(
        None,
        description="decay of the exponential moving average of the generator's weights, per step; or its "
        "half-life in kimg",
    )
    generator_ema_warmup: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None,
        description="the average's half-life is at most this share of the steps done "
        "(0.05 in the code of Karras et al. 2020)",
    )
    precision: Literal["float32", "mixed_bfloat16"] = Field(
        "float32", description="of the layers; weights, losses and updates are float32 in either"
    )
    xla: bool = Field(
        False,
        description="compile a step into few kernels: takes some ten seconds once, draws other random "
        "numbers, and makes small networks several times as fast on a GPU; for one replica",
    )
    early_stopping: EarlyStopping | None = Field(None, description="ends trials that have become unstable")
    discriminator_won: Annotated[DiscriminatorWon | None, MAY_CHANGE] = Field(
        DiscriminatorWon(), description="null: it is not looked for"
    )

    @model_validator(mode="after")
    def _one_budget(self) -> Training:
        given = [name for name in BUDGETS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"give exactly one of {', '.join(BUDGETS)} (given: {', '.join(given) or 'none'})"
            )
        if not self.rule.several and self.n_critic > 1:
            others = " or ".join(name for name, rule in RULES.items() if rule.several)
            raise ValueError(f"n_critic > 1 needs update: {others}")
        if self.generator_ema_warmup is not None and self.generator_ema is None:
            raise ValueError("generator_ema_warmup needs generator_ema, the decay that it leads to")
        return self

    @property
    def rule(self) -> Update:
        """The update rule."""
        return RULES[self.update]

    def real_batch(self, batch_size: int) -> int:
        """Real images of one discriminator update, where ``batch_size`` is the generator's."""
        return batch_size // 2 if self.rule.halves else batch_size


Every = tuple[float, Literal["epochs", "steps", "kimg"]]
"""An interval and its unit."""


class Cadence(Section):
    """Every so many epochs, steps or kimg; one of them. The last step always counts."""

    every_epochs: Positive | None = Field(None, description="passes over the data set")
    every_steps: Positive | None = Field(None, description="generator updates")
    every_kimg: Annotated[float, Field(gt=0)] | None = Field(
        None, description="thousand real images shown to the discriminator"
    )

    @model_validator(mode="after")
    def _one_unit(self) -> Cadence:
        *units, last = [name for name in CADENCES if name in type(self).model_fields]
        if sum(bool(getattr(self, name)) for name in (*units, last)) > 1:
            raise ValueError(f"give {', '.join(units)} or {last}, only one of them")
        return self

    def interval(self) -> Every | None:
        """Once an epoch where nothing was given; None for no such interval."""
        if self.every_steps:
            return self.every_steps, "steps"
        return (self.every_kimg, "kimg") if self.every_kimg else (self.every_epochs or 1, "epochs")

    def chosen_epochs(self) -> tuple[int, ...]:
        """The epochs that were named one by one, where there is no interval."""
        return ()


class Samples(Cadence):
    """Sample grids: the same latents each time, so that a GIF of them shows the training."""

    rows: Annotated[int, Field(ge=1, le=32)] = Field(4, description="of a grid")
    columns: Annotated[int, Field(ge=1, le=32)] = Field(4, description="of a grid")
    at_epochs: Annotated[tuple[Positive, ...], Field(strict=False)] = Field(
        (), description="only after these epochs, and at the end"
    )
    archive: bool = Field(False, description="at the end, all grids in one samples.zip")

    def interval(self) -> Every | None:
        """As for any cadence; None where epochs were named one by one."""
        return None if self.at_epochs else super().interval()

    def chosen_epochs(self) -> tuple[int, ...]:
        """``at_epochs``."""
        return self.at_epochs


class Checkpoint(Cadence):
    """When a trial can be resumed from, and how many such points are kept."""

    every_minutes: Annotated[float, Field(gt=0)] | None = Field(None, description="of training")
    keep: Positive = Field(2, description="newest ones that stay; the best one stays beside them")
    keep_finished: Positive | None = Field(
        None, description="the same once a trial is finished; unless given keep, but 1 where that is 2"
    )

    def interval(self) -> Every | None:
        """As for any cadence; None where minutes are counted."""
        return super().interval() if self.every_minutes is None else None

    @property
    def kept_of_finished(self) -> int:
        """How many newest ones stay once a trial is finished: a second one is there for its next attempt."""
        return self.keep_finished or (self.keep if self.keep > 2 else 1)


class Evaluation(Cadence):
    """How good the images are, measured against held-out ones, or against training images where none are."""

    metrics: Annotated[tuple[Metric, ...], Field(strict=False)] = Field(
        ("frechet",), description="what is measured; the first one ranks the configurations"
    )
    features: Features | None = Field(
        None, description="what the images are compared by; unless given, what suits the data set"
    )
    samples: Annotated[int, Field(ge=100, le=10**5)] = Field(
        10_000, description="generated images; as many real ones, or all there are"
    )
    select: Metric | None = Field(
        None,
        description="metric by which the best checkpoint is chosen, on real images and latents of its own",
    )
    patience: Positive | None = Field(
        None,
        description="evaluations without a new best one after which the training ends; needs select",
    )
    mode_collapse: ModeCollapse | None = Field(ModeCollapse(), description="null: it is not looked for")

    @model_validator(mode="after")
    def _patience_for_something(self) -> Evaluation:
        if self.patience is not None and self.select is None:
            raise ValueError("patience counts evaluations without a new best one; give select, a metric, too")
        return self

    @field_validator("metrics")
    @classmethod
    def _distinct(cls, metrics: tuple[str, ...]) -> tuple[str, ...]:
        if not metrics:
            raise ValueError("the list is empty; give at least one, or leave out the evaluation section")
        return tuple(dict.fromkeys(metrics))


class Resources(Section):
    """What one trial gets, on one node."""

    gpus: Annotated[float, Field(ge=0)] | None = Field(
        None, description="whole, or 1/k to pack k trials on a GPU; one where there are any, else none"
    )
    cpus: Positive = Field(2, description="cores, and TensorFlow's threads")
    replicas: Positive | None = Field(
        None, description="devices of the MirroredStrategy: one per GPU; without GPUs, logical CPU devices"
    )
    parallelism: Literal["intra_op", "inter_op"] = Field(
        "intra_op",
        description="what the cores share: the work of each operation, or (inter_op) operations that do not "
        "wait for each other, which is faster for small networks and for replicas on CPUs, and has the same "
        "bits on any number of cores",
    )
    deterministic: bool = Field(
        True,
        description="the same bits each time, also after a kill; false is somewhat faster on a GPU",
    )
    data_memory_gb: Annotated[float, Field(ge=0)] | None = Field(
        None,
        description="memory of each device that training images may take; more are streamed. "
        "A quarter of it by default",
    )

    @model_validator(mode="after")
    def _whole_or_a_share(self) -> Resources:
        gpus = self.gpus
        if gpus is not None and gpus != int(gpus):
            trials = 1 / gpus  # Ray counts in steps of 1e-4: a hundredth is the smallest share that is one
            if gpus > 1 or trials > 100 or abs(trials - round(trials)) > 1e-6:
                raise ValueError(f"gpus must be whole or 1/k (0.5, 0.25, ... 0.01), not {gpus:g}")
        if gpus and self.replicas is not None and self.replicas != max(1, int(gpus)):
            raise ValueError(f"replicas is one per GPU: {self.replicas} does not fit gpus: {gpus:g}")
        return self


class Schedule(Section):
    """How the trials of a job are run."""

    max_concurrent: Positive | None = Field(None, description="trials at a time; as many as fit")
    max_failures: Annotated[int, Field(ge=0)] = Field(
        3, description="losses of a trial before it ends as failed"
    )
    stall_timeout_s: Annotated[float, Field(gt=0)] = Field(
        600.0,
        description="seconds without a sign of life after which a trial is killed and requeued; loading, "
        "evaluating and writing give signs, too",
    )
    placement_timeout_s: Annotated[float, Field(gt=0)] | None = Field(
        None, description="seconds without a place for any trial that end the run; else it waits, and tells"
    )
    priority: Annotated[int, Field(ge=-1000, le=1000)] = Field(
        0, description="of the jobs of one cluster, which places its trials first: the highest"
    )
    notify: Addresses = ()
