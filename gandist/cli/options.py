"""Arguments and options of the commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

JobFile = Annotated[Path, typer.Argument(metavar="JOB", help="The job file (YAML).", show_default=False)]
JobDirectory = Annotated[
    str,
    typer.Argument(
        metavar="JOB_DIR", help="A job's directory: a path or s3://bucket/...", show_default=False
    ),
]
DataDir = Annotated[
    str | None,
    typer.Option(
        metavar="DIR",
        envvar="GANDIST_DATA_DIR",
        help="Where data files lie, on every node. Without it each data set is downloaded to its own cache.",
        show_default=False,
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Set a field of the job file, by its dotted path; may be given several times.",
        show_default=False,
    ),
]
StorageDir = Annotated[
    str,
    typer.Option(
        metavar="DIR", envvar="GANDIST_STORAGE", help="Where job directories are kept: a path or s3://..."
    ),
]
Fresh = Annotated[
    bool,
    typer.Option(
        "--fresh", help="Train anew what was trained with other settings; what there is moves to aside/."
    ),
]
