"""The settings: those that differ between configurations, and those that they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gandist.report import settings, text

if TYPE_CHECKING:
    from gandist.report.render import Content

TITLE = "Settings"
ORDER = 22

MAX_CONFIGS = 200
MAX_COLUMNS = 6
"""Configurations that stand side by side; of more each has a row."""


def build(content: Content) -> dict[str, Any] | None:
    """A row a setting, or a row a configuration where these are many; None where nothing is known."""
    configs = list(content.merged.configs.items())[:MAX_CONFIGS]
    found = settings.compare(
        {config: settings.read(map(content.directory, trials)) for config, trials in configs}
    )
    if not found.differing and not found.shared:
        return None
    paths = list(found.differing)
    names = list(next(iter(found.differing.values()), {}))
    cells = [[found.differing[path][name] for name in names] for path in paths]
    by_config = len(names) > MAX_COLUMNS
    return {
        "several": len(configs) > 1,
        "by_config": by_config,
        "paths": paths,
        "names": names,
        "rows": list(zip(*cells, strict=True)) if by_config else cells,
        "not_there": any(text.NOTHING in row for row in cells),
        "more_configs": len(content.merged.configs) - len(configs) if paths else 0,
        "shared": found.shared,
    }
