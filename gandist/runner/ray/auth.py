"""The token of a Ray cluster, which Ray reads from the environment."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from gandist.errors import UsageError

TOKEN, TOKEN_PATH, MODE = "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE"
MISSING = f"asks for a token; set {TOKEN}, or {TOKEN_PATH} to a file that holds it"
REFUSED = f"refuses the token; give the one that its head was started with in {TOKEN}"


def use_named_token() -> None:
    """Have Ray use the token that the environment names; else it ignores it.

    Raises:
        UsageError: it cannot be one; it is not repeated.
    """
    path = os.environ.get(TOKEN_PATH)
    if not (os.environ.get(TOKEN) or path):
        return
    os.environ.setdefault(MODE, "token")
    if os.environ.get(TOKEN) or not _is_pipe(str(path)):  # which can be read once, by Ray
        token()


def token() -> str | None:
    """The token that the environment names, or the one that Ray keeps where its mode is token; None without.

    Raises:
        UsageError: it cannot be one; it is not repeated.
    """
    if found := os.environ.get(TOKEN):
        return _checked(found, TOKEN)
    if path := os.environ.get(TOKEN_PATH):
        return _checked(_read(Path(path), f"{TOKEN_PATH}={path}"), f"{TOKEN_PATH}={path}")
    kept = Path(os.path.expanduser("~"), ".ray", "auth_token")  # noqa: PTH111 - never raises
    if os.environ.get(MODE) == "token" and kept.is_file():
        return _checked(_read(kept, str(kept)), str(kept))
    return None


def _is_pipe(path: str) -> bool:
    return Path(path).exists() and not Path(path).is_file()


def _read(path: Path, origin: str) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise UsageError(f"{origin}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{origin}: holds no token: a token is one line of ASCII") from error


def _checked(text: str, origin: str) -> str:
    words = text.split()
    if len(words) != 1 or not text.isascii():
        raise UsageError(f"{origin}: is no token: a token is one word of ASCII")
    return words[0]


def use_own_token() -> None:
    """Have a Ray of one's own go by a token of this run, where the one that it keeps cannot be kept.

    Ray writes it below the home directory, which a container's user may not have.
    """
    if os.environ.get(MODE) or os.access(os.path.expanduser("~"), os.W_OK):  # noqa: PTH111 - never raises
        return
    os.environ.update({MODE: "token", TOKEN: secrets.token_hex(32)})


def refused(text: str) -> str | None:
    """What Ray's complaint about a token means; None where it is about something else."""
    if any(words in text for words in ("InvalidAuthToken", "Forbidden", "Authentication failed")):
        return REFUSED
    missing = (
        "Unauthorized",
        "Authentication required",
        "authentication token was found",
        "couldn't find an auth",
    )
    return MISSING if any(words in text for words in missing) else None
