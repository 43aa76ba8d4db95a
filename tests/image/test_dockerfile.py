"""What can be told of the image by reading how it is made."""

from __future__ import annotations

import os
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@cache
def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions: keyword and arguments, continued lines joined, comments left out."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\s*\\\n\s*", " ", "\n".join(lines))
    return [(word.upper(), rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines())]


def arguments(keyword: str) -> list[str]:
    return [rest for word, rest in instructions() if word == keyword]


def last_stage() -> list[tuple[str, str]]:
    start = max(index for index, (word, _) in enumerate(instructions()) if word == "FROM")
    return instructions()[start:]


def copied() -> set[str]:
    """What comes from the checkout, not from another stage."""
    found = set()
    for rest in arguments("COPY"):
        words = rest.split()
        if not words[0].startswith("--from="):
            found.update(words[:-1])
    return found


def ignored(path: str) -> bool:
    """Does .dockerignore keep ``path`` out? As builders read it: the last pattern that matches decides."""
    verdict = False
    candidates = [path, *map(str, Path(path).parents)]
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        glob = line.removeprefix("!")
        pattern = re.escape(glob).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
        if any(re.fullmatch(pattern, candidate) for candidate in candidates):
            verdict = not line.startswith("!")
    return verdict


def test_the_base_is_the_first_argument_and_that_of_every_stage() -> None:
    assert instructions()[0][0] == "ARG"
    default = re.fullmatch(r"BASE=python:3\.(\d+)-slim(-\w+)?", instructions()[0][1])
    assert default
    assert 11 <= int(default[1]) <= 13
    stages: set[str] = set()
    for rest in arguments("FROM"):
        base, _, name = rest.partition(" AS ")
        assert base == "${BASE}" or base in stages
        stages.add(name)
    assert len(arguments("FROM")) > 1
    assert last_stage()[0] == ("FROM", "${BASE}"), "what built the environment stays in it"


def test_its_user_is_a_number_and_not_root() -> None:
    users = [rest for word, rest in last_stage() if word == "USER"]
    assert len(users) == 1
    user = re.fullmatch(r"(\d+):(\d+)", users[0])
    assert user, users
    assert int(user[1]) > 0
    assert int(user[2]) > 0
    assert not [word for word, _ in last_stage()[last_stage().index(("USER", users[0])) :] if word == "RUN"]


def test_any_command_can_be_run_in_it() -> None:
    """KubeRay brings its own; an entry point would come before it."""
    words = [word for word, _ in instructions()]
    assert "ENTRYPOINT" not in words
    assert last_stage()[-1] == ("CMD", '["gandist", "--help"]')


def test_everything_is_installed_by_the_constraints_or_not_at_all() -> None:
    installs = [
        step
        for rest in arguments("RUN")
        for step in rest.split(" && ")
        if re.search(r"\bpip install\b", step)
    ]
    assert len(installs) == 3
    for step in installs:
        assert "--constraint constraints.txt" in step or "--no-index --no-deps" in step, step
    assert not [rest for rest in arguments("RUN") if re.search(r"\b(apt|apt-get|apk|curl|wget)\b", rest)]


@pytest.mark.parametrize("name", ["Dockerfile", ".dockerignore"])
def test_it_names_no_host(name: str) -> None:
    """Where packages come from is for whoever builds to say."""
    content = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"index-url|find-links|trusted-host|https?://|file://", content)


def test_what_is_copied_exists_and_reaches_the_builder() -> None:
    assert {"gandist", "jobs", "pyproject.toml", "constraints.txt"} <= copied()
    for source in copied():
        assert (ROOT / source).exists(), source
        files = [ROOT / source] if (ROOT / source).is_file() else [*(ROOT / source).rglob("*")]
        for file in files:
            if "__pycache__" not in file.parts:
                assert not ignored(str(file.relative_to(ROOT))), file


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".venv/bin/python",
        "runs/quickstart/job.yaml",
        "tests/image/test_image.py",
        "gandist/__pycache__/cli.cpython-311.pyc",
        "gandist/models/__pycache__/dcgan.cpython-311.pyc",
        ".env",
        "gandist.egg-info/PKG-INFO",
        "build/lib/gandist/__init__.py",
    ],
)
def test_what_the_image_does_not_need_never_reaches_the_builder(path: str) -> None:
    assert ignored(path)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], "docker build --build-arg EXTRAS= --tag gandist ."),
        (["EXTRAS=gpu"], "docker build --build-arg EXTRAS=gpu --tag gandist:gpu ."),
        (
            ["BUILDER=podman", "BASE=mine:1", "IMAGE=lab/gandist:2", "IMAGE_FLAGS=--no-cache"],
            "podman build --build-arg BASE=mine:1 --build-arg EXTRAS= --no-cache --tag lab/gandist:2 .",
        ),
    ],
)
def test_make_image_gives_the_builder_what_was_asked_for(given: list[str], expected: str) -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", "-C", ROOT, "image", *given],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={"PATH": os.environ["PATH"]},  # and nothing that make would take its variables from
    )
    assert " ".join(done.stdout.split()) == expected
