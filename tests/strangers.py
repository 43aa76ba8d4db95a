"""Job directories that gandist did not write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

from gandist.artifacts.job_dir import JobDir


def write_documents(job_dir: JobDir, job: Mapping[str, Any], manifest: Mapping[str, Any]) -> None:
    """``job.yaml`` and ``manifest.json``, whatever they say."""
    job_dir.storage.write("job.yaml", yaml.safe_dump(dict(job), sort_keys=False).encode())
    job_dir.storage.write("manifest.json", json.dumps(manifest).encode())
