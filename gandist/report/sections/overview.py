"""What was run, when and on what."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from gandist.artifacts.manifest import Manifest
from gandist.report import text

if TYPE_CHECKING:
    from gandist.report.render import Content

TITLE = "The run"
ORDER = 55


def build(content: Content) -> dict[str, Any] | None:
    """Facts, each a line."""
    members = content.merged.members
    states = [member.state for member in members]
    started = [state.started_at for state in states if state.started_at > 0]
    took = max((state.updated_at for state in states), default=0.0) - min(started) if started else 0.0
    manifest = content.manifest
    facts = {
        "Trials": _shape(content),
        "Data": "; ".join(dict.fromkeys(text.plain(it.summary, 1000) for it in content.datasets.values())),
        "Created": text.when(manifest.created_at and manifest.created_at.timestamp()),
        "Run by": text.plain(manifest.submitted_by, 100),
        "From first start to last change": text.duration(took),
        "Training, all trials": text.duration(sum(state.train_s for state in states)),
        "Devices": _counted(text.device(state.device, state.replicas) for state in states if state.device),
        "Hosts": _counted(state.host for state in states if state.host),
        "Versions": _versions(manifest),
        "Plug-ins": ", ".join(
            f"{text.plain(name, 40)} ({text.plain(version, 80)})"
            for name, version in list(manifest.plugins.items())[:12]
        ),
        "Git commit": text.plain(manifest.git_commit or text.NOTHING, 60),
        "Spec hash": text.plain(manifest.spec_hash or text.NOTHING, 80),
    }
    return {"facts": {name: fact for name, fact in facts.items() if fact and fact != text.NOTHING}}


def _shape(content: Content) -> str:
    configs, trials = len(content.merged.configs), len(content.merged.members)
    seeds = len({member.seed for member in content.merged.members})
    times = f" \N{MULTIPLICATION SIGN} {text.plural(seeds, 'seed')} = " if configs * seeds == trials else ", "
    return f"{text.plural(configs, 'configuration')}{times}{text.plural(trials, 'trial')}"


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
