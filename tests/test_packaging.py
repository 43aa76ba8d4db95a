"""What the project declares is true: dependencies, pins, version, data files, what an import loads."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "gandist"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
CORE = [Requirement(line) for line in PROJECT["dependencies"]]
EXTRAS = {
    extra: [Requirement(line) for line in lines] for extra, lines in PROJECT["optional-dependencies"].items()
}
CONSTRAINTS = [
    line
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]

DISTRIBUTIONS = {
    "PIL": "pillow",
    "mlflow": "mlflow-skinny",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}
"""Where the name of an import is not that of its distribution."""


def names(requirements: list[Requirement]) -> set[str]:
    return {canonicalize_name(requirement.name) for requirement in requirements}


def imports(source: Path) -> Iterator[str]:
    """Top-level names of what a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def imported_distributions() -> set[str]:
    found = {name for source in PACKAGE.rglob("*.py") for name in imports(source)}
    found -= {"gandist", *sys.stdlib_module_names}
    return {canonicalize_name(DISTRIBUTIONS.get(name, name)) for name in found}


def installed_for(requirements: list[Requirement]) -> set[str]:
    """What ``requirements`` bring here: themselves, what they require, and so on."""
    found: set[str] = set()
    waiting = [
        (requirement.name, extra) for requirement in requirements for extra in ("", *requirement.extras)
    ]
    done: set[tuple[str, str]] = set()
    while waiting:
        name, extra = waiting.pop()
        if (canonicalize_name(name), extra) in done:
            continue
        done.add((canonicalize_name(name), extra))
        found.add(canonicalize_name(name))
        for requirement in map(Requirement, metadata.requires(name) or []):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                waiting += [(requirement.name, wanted) for wanted in ("", *requirement.extras)]
    return found


def test_the_declared_dependencies_are_those_imported() -> None:
    optional = {name for extra in EXTRAS.keys() - {"gpu", "test", "dev"} for name in names(EXTRAS[extra])}
    imported = imported_distributions()
    assert imported - optional == names(CORE)


def test_every_constraint_is_an_exact_version() -> None:
    exact = re.compile(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*")
    assert [line for line in CONSTRAINTS if not exact.fullmatch(line)] == []


def test_every_declared_dependency_is_pinned_to_a_version_it_allows() -> None:
    pins = {canonicalize_name(name): version for name, version in (line.split("==") for line in CONSTRAINTS)}
    for requirement in [*CORE, *(r for extra in EXTRAS.values() for r in extra if r.name != "gandist")]:
        assert pins[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_what_the_dependencies_bring_along_is_pinned() -> None:
    """Else a fresh install gets versions that nobody tried."""
    pinned = {canonicalize_name(line.partition("==")[0]) for line in CONSTRAINTS}
    assert installed_for(CORE + EXTRAS["test"]) - {"gandist"} <= pinned


def test_no_file_names_a_package_index() -> None:
    """Where packages come from is for the environment to say."""
    for name in ("constraints.txt", "pyproject.toml", "Makefile", ".ci/run", ".pre-commit-config.yaml"):
        content = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"index-url|find-links|trusted-host|https?://|file://", content), name


def test_the_command_gives_the_declared_version() -> None:
    command = Path(sys.executable).with_name("gandist")
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=True, timeout=60)
    assert PROJECT["version"] in done.stdout.split()


def test_every_data_file_of_the_package_is_shipped() -> None:
    patterns = PYPROJECT["tool"]["setuptools"]["package-data"]["gandist"]
    data_files = {
        path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"}
    }
    assert data_files == {path for pattern in patterns for path in PACKAGE.glob(pattern)}


@pytest.mark.parametrize("module", ["gandist.cli", "gandist.report", "gandist.spec.loading"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    """Validating a job and rendering a report take a second, not ten."""
    script = f"import sys, {module}; print(*{{'tensorflow', 'keras', 'ray'}} & sys.modules.keys())"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == []
