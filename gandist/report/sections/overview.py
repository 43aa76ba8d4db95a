"""What was run, on what, and what a reader must know before believing the rest."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import TYPE_CHECKING, Any

from gandist.artifacts.job_dir import TrialDir
from gandist.artifacts.manifest import Manifest
from gandist.artifacts.trial_state import DatasetDescription
from gandist.errors import StorageError
from gandist.report import text

if TYPE_CHECKING:
    from gandist.report.render import Content

TITLE = "Overview"
ORDER = 10

MAX_WARNINGS = 40
MAX_CONFIGS = 200
_NOT_SETTINGS = ("job", "config", "seed")


def build(content: Content) -> dict[str, Any] | None:
    """Facts, warnings, and the settings: those that differ between configurations, and the shared ones."""
    members = content.merged.members
    states = [member.state for member in members]
    started = [state.started_at for state in states if state.started_at > 0]
    took = max((state.updated_at for state in states), default=0.0) - min(started) if started else 0.0
    manifest = content.manifest
    data = _data(content)
    facts = {
        "Trials": _shape(content),
        "Data": "; ".join(dict.fromkeys(text.plain(found.summary, 1000) for found in data)),
        "Created": text.when(manifest.created_at and manifest.created_at.timestamp()),
        "From first start to last change": text.duration(took),
        "Training, all trials": text.duration(sum(state.train_s for state in states)),
        "Devices": _counted(text.device(state.device, state.replicas) for state in states if state.device),
        "Hosts": _counted(state.host for state in states if state.host),
        "Versions": _versions(manifest),
        "Git commit": text.plain(manifest.git_commit or text.NOTHING, 60),
        "Spec hash": text.plain(manifest.spec_hash or text.NOTHING, 80),
    }
    notes = Counter(text.plain(note) for state in states for note in set(state.notes))
    warnings = [f"{note} ({text.plural(count, 'trial')})" for note, count in notes.most_common()]
    warnings += dict.fromkeys(text.plain(line, 1000) for found in data for line in found.left_out)
    warnings += content.merged.warnings
    return {
        "facts": {name: fact for name, fact in facts.items() if fact and fact != text.NOTHING},
        "warnings": warnings[:MAX_WARNINGS],
        "more_warnings": max(0, len(warnings) - MAX_WARNINGS),
        **_settings(content),
    }


def _shape(content: Content) -> str:
    configs, trials = len(content.merged.configs), len(content.merged.members)
    seeds = len({member.seed for member in content.merged.members})
    times = f" \N{MULTIPLICATION SIGN} {text.plural(seeds, 'seed')} = " if configs * seeds == trials else ", "
    return f"{text.plural(configs, 'configuration')}{times}{text.plural(trials, 'trial')}"


def _data(content: Content) -> list[DatasetDescription]:
    """What the first trial of each configuration that has loaded its data says of it."""
    found = []
    for trials in list(content.merged.configs.values())[:MAX_CONFIGS]:
        for trial in trials:
            with contextlib.suppress(StorageError):
                if description := content.job_dir.trial(trial.id).read_dataset():
                    found.append(description)
                    break
    return found


def _versions(manifest: Manifest) -> str:
    named = {"gandist": manifest.gandist, **manifest.versions}
    return ", ".join(
        f"{text.plain(name, 30)} {text.plain(version, 30)}"
        for name, version in list(named.items())[:12]
        if version
    )


def _counted(values: Any) -> str:
    counted = Counter(text.plain(value, 60) for value in values).most_common()
    shown = [f"{value} ({text.plural(count, 'trial')})" for value, count in counted[:6]]
    return ", ".join([*shown, f"{len(counted) - 6} more"] if len(counted) > 6 else shown)


def _settings(content: Content) -> dict[str, Any]:
    """The ``differing`` settings by configuration, in ``trial.yaml``'s order, and the ``shared`` ones."""
    configs = list(content.merged.configs.items())[:MAX_CONFIGS]
    settings = {
        config: _trial_settings([content.job_dir.trial(trial.id) for trial in trials])
        for config, trials in configs
    }
    known = [values for values in settings.values() if values]
    paths = list(dict.fromkeys(path for values in known for path in values))
    differing = [path for path in paths if len({values.get(path) for values in known}) > 1]
    return {
        "differing": differing,
        "configs": settings if differing else {},
        "missing": text.NOTHING,
        "more_configs": len(content.merged.configs) - len(configs) if differing else 0,
        "shared": {path: known[0][path] for path in paths if path not in differing},
    }


def _trial_settings(directories: list[TrialDir]) -> dict[str, str]:
    """The settings of the first of a configuration's trials that has any; all its seeds share them."""
    for directory in directories:
        try:
            resolved = directory.read_trial()
        except StorageError:
            continue
        if resolved:
            return text.flatten({key: value for key, value in resolved.items() if key not in _NOT_SETTINGS})
    return {}
