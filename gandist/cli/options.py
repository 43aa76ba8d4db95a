"""Arguments and options of the commands."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, TypeVar

import typer

Place = TypeVar("Place", str, Path, None)


def from_home(place: Place) -> Place:
    """``~`` as shells have it, where none has seen it: in quotes, behind an ``=``, in a variable.

    Raises:
        typer.BadParameter: nothing was given, as by a variable that is not set.
    """
    if place is None:
        return place
    if not str(place):
        raise typer.BadParameter("is empty; is a variable not set?")
    return type(place)(os.path.expanduser(place))  # noqa: PTH111 - Path's raises where there is no home


JobFile = Annotated[
    Path,
    typer.Argument(metavar="JOB", help="The job file (YAML).", show_default=False, callback=from_home),
]
JobDirectory = Annotated[
    str,
    typer.Argument(
        metavar="JOB_DIR",
        help="A job's directory: a path or s3://bucket/...",
        show_default=False,
        callback=from_home,
    ),
]
DataDir = Annotated[
    str | None,
    typer.Option(
        metavar="DIR",
        envvar="GANDIST_DATA_DIR",
        help="Where data files lie, on every node. Without it each data set is downloaded to its own cache.",
        show_default=False,
        callback=from_home,
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
Plugins = Annotated[
    list[str] | None,
    typer.Option(
        "--plugin",
        metavar="FILE",
        help="Code of your own that the job may use and that may run: a .py file, or the name under which an "
        "installed package offers it; may be given several times.",
        show_default=False,
        callback=lambda given: given and [from_home(one) for one in given],
    ),
]
StorageDir = Annotated[
    str,
    typer.Option(
        metavar="DIR",
        envvar="GANDIST_STORAGE",
        help="Where job directories are kept: a path or s3://...",
        callback=from_home,
    ),
]
Fresh = Annotated[
    bool,
    typer.Option(
        "--fresh", help="Train anew what was trained with other settings; what there is moves to aside/."
    ),
]
AsJson = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON document, for programs: docs/operators.md has its keys."),
]
