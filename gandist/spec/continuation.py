"""Whether a trial goes on where an earlier one ended, and if not, what of it is different.

What may change is marked with ``MAY_CHANGE`` where it is declared: the decision and the message have that one
source.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from gandist.artifacts.job_dir import TrialDir
from gandist.artifacts.trial_state import TrialState
from gandist.printable import printable
from gandist.spec.base import MAY_CHANGE, Section, fixed
from gandist.spec.overrides import leaves
from gandist.spec.renamed import migrated
from gandist.spec.trial import TrialSpec

NOT_SET = "(not set)"
MAX_LINE = 500


def continues(trial: TrialSpec, state: TrialState, directory: TrialDir) -> bool:
    """Whether ``trial`` is what was trained in ``directory``, which stands at ``state``.

    Raises:
        StorageError: the storage refused.
    """
    if state.identity in ("", trial.identity()):
        return True
    before = directory.read_trial()
    return bool(before) and not differences(before, trial)


def differences(before: Mapping[str, Any], now: TrialSpec) -> list[str]:
    """``optimizer.learning_rate: 0.0002 -> 0.0001`` for each field that a trial may not change halfway.

    Args:
        before: a ``trial.yaml``, perhaps of an earlier version: what it lacks has its default.
        now: what is asked for.
    """
    kept = {name: value for name, value in migrated(before).items() if name not in _FREE}
    was = dict(leaves({name: _section(name, value) for name, value in kept.items()}))
    asked = dict(leaves(fixed(now)))
    return [
        printable(f"{path}: {was.get(path, NOT_SET)} -> {asked.get(path, NOT_SET)}", MAX_LINE)
        for path in dict.fromkeys([*was, *asked])
        if was.get(path) != asked.get(path)  # null is not set, too
    ]


_FREE = {name for name, field in TrialSpec.model_fields.items() if MAY_CHANGE in field.metadata}


@functools.cache
def _adapter(name: str) -> TypeAdapter[Any]:
    field = TrialSpec.model_fields[name]
    return TypeAdapter(Annotated[field.annotation, field])  # type: ignore[arg-type]  # a type of run time


def _section(name: str, value: Any) -> Any:
    """What of a section counts; all of it, as it is written, where this gandist does not know such a one."""
    try:
        found = _adapter(name).validate_python(value)
    except (KeyError, ValidationError):
        return value
    return fixed(found) if isinstance(found, Section) else value
