"""Tokens, as the environment gives them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gandist.errors import UsageError
from gandist.runner.ray.auth import MODE, TOKEN, TOKEN_PATH, use_named_token

SECRET = "5ecre7" * 8


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (TOKEN, TOKEN_PATH, MODE):
        monkeypatch.setenv(name, "")  # so that it is put back, whatever is set
        monkeypatch.delenv(name)


def test_without_a_token_nothing_is_changed() -> None:
    use_named_token()
    assert MODE not in os.environ


@pytest.mark.parametrize("text", [SECRET, f"{SECRET}\n", f" {SECRET}\r\n"])
def test_a_token_turns_authentication_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    monkeypatch.setenv(TOKEN, text)
    use_named_token()
    assert os.environ.pop(MODE) == "token"
    monkeypatch.delenv(TOKEN)
    (tmp_path / "token").write_text(text)
    monkeypatch.setenv(TOKEN_PATH, str(tmp_path / "token"))
    use_named_token()
    assert os.environ[MODE] == "token"


def test_a_mode_that_was_chosen_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, SECRET)
    monkeypatch.setenv(MODE, "disabled")
    use_named_token()
    assert os.environ[MODE] == "disabled"


@pytest.mark.parametrize("text", [f"{SECRET}\nx", f"{SECRET} x", f"{SECRET}\u00e4", "  "])
def test_what_is_no_token_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(TOKEN, text)
    with pytest.raises(UsageError) as refused:
        use_named_token()
    assert str(refused.value) == "RAY_AUTH_TOKEN: is no token: a token is one word of ASCII"


def test_a_pipe_is_left_for_ray_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.write(writer, SECRET.encode())
    os.close(writer)
    monkeypatch.setenv(TOKEN_PATH, f"/dev/fd/{reader}")
    use_named_token()
    assert os.environ[MODE] == "token"
    assert os.read(reader, 1000).decode() == SECRET
    os.close(reader)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"\xff\x00", "holds no token: a token is one line of ASCII"),
        (b"", "is no token: a token is one word of ASCII"),
    ],
)
def test_a_file_without_a_token_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, line: str
) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv(TOKEN_PATH, str(path))
    with pytest.raises(UsageError) as refused:
        use_named_token()
    assert str(refused.value) == f"RAY_AUTH_TOKEN_PATH={path}: {line}"
