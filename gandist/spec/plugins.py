"""Plug-ins: variants in a Python file of the user's own, or in an installed package.

Loading one runs its code. So only what a person has named in a command or a call is loaded, never what a job
file or a job directory names; of what these name, this only tells whether it is what was given.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import inspect
import linecache
import re
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from gandist.errors import UsageError
from gandist.printable import printable
from gandist.spec.base import Section, given
from gandist.spec.job import Job
from gandist.spec.trial import TrialSpec
from gandist.spec.variants import Kind, Plugin, Use, in_use, origin, take_into_use

GROUP = "gandist.plugins"
"""Of the entry points with which packages offer modules."""
MAX_BYTES = 1_000_000
FILE = "sha256:"
"""How the version of a plug-in begins that is a file."""
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}\.py")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_files: set[str] = set()
"""That were run in this process."""


def allow(given: Iterable[str | Path]) -> None:
    """Let the code run that a person has named, see ``find``, and know its variants from now on: ``use``."""
    use(find(given))


def find(given: Iterable[str | Path]) -> tuple[Plugin, ...]:
    """The plug-ins that a person has named: ``.py`` files, and entry points of installed packages.

    Reads files and metadata of packages, and runs nothing.

    Raises:
        UsageError: there is no such file or package, or two have one name.
    """
    found = tuple(_of_file(Path(one)) if str(one).endswith(".py") else _of_package(str(one)) for one in given)
    names = [plugin.name for plugin in found]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"--plugin {name}: two have this name; give each once, or rename one")
    return found


def use(plugins: Sequence[Plugin]) -> None:
    """Run the code of ``plugins``, once in this process, and know their variants and no others from now on.

    Raises:
        UsageError: one is not what it should be, has a name that is taken, or a job with others is running.
    """
    variants: dict[str, dict[str, type]] = {kind: {} for kind in Kind.every}
    origins: dict[type, Plugin] = {}
    for plugin in plugins:
        for kind, name, variant in _variants(plugin):
            owner = "gandist" if name in Kind.every[kind].own else ""
            if name in variants[kind]:
                owner = origins[variants[kind][name]].name
            if owner:
                raise _wrong(plugin, variant, f"{name} is one of the {kind} of {owner}; choose another name")
            variants[kind][name] = variant
            origins[variant] = plugin
    take_into_use(Use(tuple(plugins), variants, origins))


def recorded(values: Mapping[str, Any]) -> dict[str, str | None]:
    """The plug-ins that a job file or a ``trial.yaml`` names; none where that section is not right."""
    named = values.get("plugins")
    try:
        return TypeAdapter(dict[str, str | None]).validate_python(named or {}, strict=True)
    except ValidationError:
        return {}


def compare(recorded: Mapping[str, str | None], given: Iterable[Plugin], where: str) -> None:
    """Refuse what was made with plug-ins that were not given, or that are not the same any more.

    Args:
        recorded: name to version; None for any version.
        given: those that a person allows.
        where: what they are recorded in, for the error.

    Raises:
        UsageError: says which, and what to do.
    """
    versions = {plugin.name: plugin.version for plugin in given}
    for name, version in recorded.items():
        shown, exact = printable(name, 100), printable(version or "any version", 100)
        argument = shown if version and not version.startswith(FILE) else f"{shown}.py"
        if name not in versions:
            raise UsageError(
                f"{where}: needs the plug-in {shown} ({exact}): code, which runs only where it is allowed; "
                f"if you trust it, add --plugin {argument}"
            )
        if version not in (None, versions[name]):
            raise UsageError(
                f"{where}: needs the plug-in {shown} as {exact}; the one given is {versions[name]}"
            )


def made_with(job: Job, plugins: tuple[Plugin, ...]) -> Job:
    """``job``, which says of itself and of each trial what it is made of, beside gandist.

    Args:
        job: as validated while ``plugins`` were in use.
        plugins: that it may use. A trial is made of those that shape its training: metrics do not.
    """
    if not plugins:
        return job
    spec = job.spec.model_copy(update={"plugins": {plugin.name: plugin.version for plugin in plugins}})
    trials = tuple(trial.model_copy(update={"plugins": _parts(trial)}) for trial in job.trials)
    return replace(job, spec=spec, trials=trials, plugins=plugins)


def _parts(trial: TrialSpec) -> dict[str, str]:
    parts = (
        *(trial.data, trial.model, trial.loss, trial.augmentation, trial.optimizer, trial.training.rule),
        *given(trial.regularizers).values(),
        *given(trial.constraints).values(),
    )
    found = {plugin.name: plugin.version for part in parts if (plugin := origin(part))}
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class Sent:
    """A trial on its way to another process, with the plug-ins that it needs there."""

    id: str
    values: Mapping[str, Any]
    plugins: tuple[Plugin, ...]

    @classmethod
    def of(cls, trial: TrialSpec) -> Sent:
        """``trial``, with what is in use here."""
        values = {**trial.model_dump(mode="json"), "pause_kimg": trial.pause_kimg}
        return cls(trial.id, values, in_use().plugins)

    def trial(self) -> TrialSpec:
        """The trial, where it has arrived.

        Raises:
            UsageError: a package is not installed there, or in another version.
        """
        use(self.plugins)
        return TrialSpec.model_validate(self.values)


def _of_file(path: Path) -> Plugin:
    if not _FILE.fullmatch(path.name):
        raise UsageError(
            f"--plugin {printable(str(path), 200)}: give a file named by letters, digits, _ and -, then .py"
        )
    try:
        with path.open("rb") as file:
            source = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"--plugin {path}: {error.strerror}") from None
    if len(source) > MAX_BYTES:
        raise UsageError(f"--plugin {path}: larger than {MAX_BYTES // 1_000_000} MB; install it as a package")
    return Plugin(path.stem, f"{FILE}{hashlib.sha256(source).hexdigest()}", source, str(path))


def _of_package(name: str) -> Plugin:
    entry = _entry(name)
    return Plugin(name, f"{entry.dist.name} {entry.dist.version}" if entry.dist else "unknown", None, name)


def _entry(name: str) -> importlib.metadata.EntryPoint:
    found = {entry.name: entry for entry in importlib.metadata.entry_points(group=GROUP)}
    if name not in found:
        offered = ", ".join(sorted(found)) or "none"
        raise UsageError(
            f"--plugin {printable(name, 200)}: give a .py file, or what an installed package offers as "
            f"{GROUP} ({offered})"
        )
    return found[name]


@functools.cache
def _variants(plugin: Plugin) -> list[tuple[str, str, type]]:
    """Kind, name and class of each variant, in the order in which they are defined. Runs the code."""
    had_tensorflow = "tensorflow" in sys.modules
    module, own = _run_file(plugin) if plugin.source is not None else _import_package(plugin)
    if "tensorflow" in sys.modules and not had_tensorflow:
        raise UsageError(
            f"{plugin.path}: imports TensorFlow or Keras at its top; import keras inside the functions that "
            "need it, and TensorFlow as: from gandist import lazy_tensorflow as tf"
        )
    found = []
    for variant in vars(module).values():
        if not inspect.isclass(variant) or variant.__name__.startswith("_"):
            continue
        if variant.__module__ == own or variant.__module__.startswith(f"{own}."):
            for kind in Kind.every.values():
                if issubclass(variant, kind.base):
                    found.append((kind.name, _name(plugin, kind, variant), variant))
    if not found:
        bases = ", ".join(kind.base.__name__ for kind in Kind.every.values())
        raise UsageError(f"{plugin.path}: defines no variant: a class that extends one of {bases}")
    return found


def _run_file(plugin: Plugin) -> tuple[ModuleType, str]:
    """The module of a file, and the name of the module that defines its classes: the same one.

    What is run is what was read and hashed; the file may have changed since.
    """
    source = plugin.source or b""
    name = f"gandist_plugin_{hashlib.sha256(source).hexdigest()[:16]}"
    module = ModuleType(name)
    module.__file__ = plugin.path
    _files.add(plugin.path)
    sys.modules[name] = module  # pydantic looks up annotations there
    try:
        text = importlib.util.decode_source(source)
        # For tracebacks and for debuggers, also where there is no such file.
        linecache.cache[plugin.path] = (len(source), None, text.splitlines(keepends=True), plugin.path)
        exec(compile(text, plugin.path, "exec"), vars(module))  # noqa: S102 - what a plug-in is for
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _failed(plugin, error) from error
    return module, name


def _import_package(plugin: Plugin) -> tuple[ModuleType, str]:
    entry = _entry(plugin.name)
    if (here := _of_package(plugin.name).version) != plugin.version:
        raise UsageError(f"--plugin {plugin.name}: {here} is installed here; the job needs {plugin.version}")
    try:
        module = importlib.import_module(entry.module)
    except (Exception, SystemExit) as error:
        raise _failed(plugin, error) from error
    return module, entry.module.partition(".")[0]


def described(error: BaseException) -> str:
    """``ValueError: ...``; where it is a plug-in that raised it, or what that called, with the place."""
    what, places = getattr(error, "message", error), traceback.extract_tb(error.__traceback__)
    lines = [(place.filename, place.lineno) for place in places if place.filename in _files]
    if isinstance(error, SyntaxError) and error.filename in _files:
        what, lines = error.msg, [(error.filename, error.lineno)]
    where = "{}, line {}: ".format(*lines[-1]) if lines else ""
    return f"{where}{type(error).__name__}: {what}"


def _failed(plugin: Plugin, error: BaseException) -> UsageError:
    text = described(error)
    if isinstance(error, ModuleNotFoundError) and plugin.source is not None:
        text += "; a plug-in is one file: put what it needs into it, or install that on every node"
    where = "" if text.startswith(plugin.path) else f"{plugin.path}: "
    return UsageError(printable(where + " ".join(text.split()), 800))


def _name(plugin: Plugin, kind: Kind[Any], variant: type) -> str:
    """What a job file calls ``variant``; refuses one that lacks something."""
    lacking = sorted(getattr(variant, "__abstractmethods__", ()))
    lacking += [name for name in kind.functions if not callable(getattr(variant, name, None))]
    if lacking:
        see = f"{kind.package}.{kind.base.__name__}"
        raise _wrong(plugin, variant, f"has no {' and no '.join(lacking)}; see {see}")
    how = 'name = "my_name"'
    if issubclass(variant, Section) and "name" in variant.model_fields:
        how = 'name: Literal["my_name"] = "my_name"'
        field = variant.model_fields["name"]
        name = field.default if get_origin(field.annotation) is Literal else None
        name = name if get_args(field.annotation) == (name,) else None
    else:
        name = getattr(variant, "name", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _wrong(plugin, variant, f"has no name of small letters, digits and _; write {how}")
    return name


def _wrong(plugin: Plugin, variant: type, what: str) -> UsageError:
    try:
        line = f", line {inspect.getsourcelines(variant)[1]}"
    except (OSError, TypeError):
        line = ""
    return UsageError(f"{plugin.path}{line}: class {variant.__name__}: {what}")
