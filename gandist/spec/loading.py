"""Reading a job file: YAML and ``--set`` overrides to a valid ``Job``, or one line per mistake."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gandist.errors import SpecError
from gandist.printable import printable
from gandist.spec.job import Job, JobSpec, expand
from gandist.spec.messages import explain
from gandist.spec.overrides import Change, apply, leaves
from gandist.spec.plugins import allow, compare, find, made_with, recorded, use
from gandist.spec.renamed import GONE
from gandist.spec.yaml import YamlError, parse

MAX_BYTES = 1_000_000


def load_job(
    source: Path | str | Mapping[str, Any],
    overrides: Sequence[str] = (),
    plugins: Sequence[Path | str] = (),
) -> Job:
    """Read, override and validate a job, down to each of its trials.

    Args:
        source: the path of a job file, or what would stand in one.
        overrides: ``dotted.path=value`` each, or one such text, the value in YAML; all are applied as one
            change.
        plugins: code that may run, and then is known in this process: Python files, or names under which
            installed packages offer some. What the job itself names does not run for that reason.

    Raises:
        SpecError: the file cannot be read or the job is not valid; one line per mistake.
        UsageError: a plug-in is not what it should be, or the job needs one that was not given.
    """
    if isinstance(source, Mapping):
        origin, values = "job", copy.deepcopy(dict(source))
    else:
        origin = str(source)
        try:
            values = _mapping(_read(Path(source)))
        except ValueError as error:
            raise _error([f"{origin}: {error}"]) from None
    given = [overrides] if isinstance(overrides, str) else overrides
    changes = [_change(override) for override in given]
    try:
        apply(values, ((change.path, change.value) for change in changes))
    except ValueError as error:
        raise _error([f"--set {error}"]) from None
    allowed = find([plugins] if isinstance(plugins, str | Path) else plugins)
    compare(recorded(values), allowed, origin)
    use(allowed)
    try:
        job = made_with(expand(JobSpec.model_validate(values)), allowed)
    except ValidationError as error:
        problems = [str(problem) for problem in explain(error, JobSpec)]
    except SpecError as error:
        problems = error.problems
    else:
        return job if isinstance(source, Mapping) else replace(job, folder=Path(source).absolute().parent)
    raise _error([_blame(problem, origin, changes) for problem in problems])


def json_schema(plugins: Sequence[Path | str] = ()) -> dict[str, Any]:
    """The JSON Schema of a job file, for editors; of one that may name what is in ``plugins``, too."""
    allow(plugins)
    schema = JobSpec.model_json_schema()
    for section in ("loss", "optimizer"):  # may leave out their name, so that several variants may fit
        field = schema["properties"][section]
        if "oneOf" in field:
            field["anyOf"] = field.pop("oneOf")
    return {**schema, "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "gandist job"}


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ValueError("no such file") from None
    except IsADirectoryError:
        raise ValueError("a directory; give a job file") from None
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES // 1_000_000} MB; give a job file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line}: not UTF-8; save the file as UTF-8 text") from None


def _mapping(text: str) -> dict[str, Any]:
    values = parse(text)
    if values is None:
        raise ValueError("empty; a job file starts with name, data, model and training")
    if not isinstance(values, dict):
        raise ValueError("not a mapping; a job file is lines of KEY: VALUE, as in name: mnist-dcgan")  # noqa: TRY004
    return values


def _change(override: str) -> Change:
    path, equals, value = override.partition("=")
    origin = f"--set {printable(override, 100)}"
    if not (equals and path.strip()):
        raise _error([f"{origin}: write PATH=VALUE, as in optimizer.learning_rate=3e-4"])
    try:
        return Change(origin, path.strip(), parse(value))
    except YamlError as error:
        raise _error([f"{origin}: {error}"]) from None


def _blame(problem: str, origin: str, changes: Sequence[Change]) -> str:
    """``problem`` after the override that caused it, or after what the job was read from."""
    where, _, what = problem.partition(": ")
    for change in reversed(changes):
        for leaf, _ in leaves({change.path: change.value}):
            of_a_whole = what.startswith(("unknown key", GONE)) or "a schedule" in what
            if (of_a_whole and leaf.startswith(f"{where}.")) or f"{where}.".startswith(f"{leaf}."):
                return f"{change.origin}: {problem.removeprefix(f'{change.path}: ')}"
    return f"{origin}: {problem}"


def _error(problems: list[str]) -> SpecError:
    """One line each, whatever stands in the file: keys may hold line breaks and terminal escapes."""
    return SpecError([printable(" ".join(problem.split()), 800) for problem in problems])
