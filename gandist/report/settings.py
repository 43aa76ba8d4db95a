"""The settings of configurations side by side. What is read of them is a stranger's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gandist.artifacts.job_dir import TrialDir
from gandist.errors import StorageError
from gandist.report import text

_NOT_SETTINGS = ("job", "config", "seed")
OFF = ("off", "{}")
"""What a section that is not used looks like."""


@dataclass(frozen=True)
class Settings:
    """Of several configurations, by dotted path, in the order of ``trial.yaml``.

    Attributes:
        differing: by path, then by configuration.
        shared: by path.
    """

    differing: Mapping[str, Mapping[str, str]]
    shared: Mapping[str, str]


def read(directories: Iterable[TrialDir]) -> dict[str, str]:
    """The settings of the first of a configuration's trials that has any; all its seeds share them."""
    for directory in directories:
        try:
            resolved = directory.read_trial()
        except StorageError:
            continue
        if resolved:
            return text.flatten({key: value for key, value in resolved.items() if key not in _NOT_SETTINGS})
    return {}


def compare(configs: Mapping[str, Mapping[str, str]]) -> Settings:
    """What the settings of ``configs`` share; those without any are left out.

    Where one configuration has settings below a path that is off in another, they are off there.
    """
    known = {config: values for config, values in configs.items() if values}
    paths = list(dict.fromkeys(path for values in known.values() for path in values))
    parents = {parent for path in paths for parent in _parents(path)}
    rows = {
        path: {config: _value(values, path) for config, values in known.items()}
        for path in paths
        if path not in parents
    }
    differing = {path: row for path, row in rows.items() if len(set(row.values())) > 1}
    shared = {path: next(iter(row.values())) for path, row in rows.items() if path not in differing}
    return Settings(differing, shared)


def _value(values: Mapping[str, str], path: str) -> str:
    if path in values:
        return values[path]
    above = next((values[parent] for parent in _parents(path) if parent in values), "")
    return OFF[0] if above in OFF else text.NOTHING


def _parents(path: str) -> list[str]:
    """``a.b`` and ``a`` of ``a.b.c``."""
    parts = path.split(".")
    return [".".join(parts[:length]) for length in range(len(parts) - 1, 0, -1)]
