"""Reaching a Ray cluster's dashboard: its address, its token, and each trouble with it as one line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from gandist.errors import ClusterError, UsageError
from gandist.printable import one_line
from gandist.remote.client import AnswerError, Client
from gandist.runner.ray import auth

ADDRESSES = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")


class UnreachableError(ClusterError):
    """There was no answer, or one of despair; the same question may be answered later."""


def named_address(option: str | None) -> str | None:
    """The dashboard's address: ``--address``, else what the environment names; None without any.

    Raises:
        UsageError: it is no address of a dashboard.
    """
    if option:
        return _checked(option, "--address ")
    for name in ADDRESSES:
        if value := os.environ.get(name):
            if name == "RAY_ADDRESS" and not value.startswith(("http://", "https://")):
                continue  # for drivers; it has another port
            return _checked(value, f"{name}=")
    return None


@contextmanager
def asking(address: str) -> Iterator[None]:
    """Give whatever goes wrong while a cluster is asked as one line.

    Raises:
        UnreachableError: no answer.
        ClusterError: another answer than the one wanted.
    """
    try:
        yield
    except OSError as error:  # requests' errors are, too
        raise UnreachableError(f"{address}: {_network_trouble(error)}{_proxied(address)}") from error
    except AnswerError as error:
        kind = UnreachableError if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else ClusterError
        raise kind(f"{address}: {_refusal(error)}{_proxied(address)}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise ClusterError(
            f"{address}: answers unlike a Ray dashboard of this version ({one_line(error)})"
            f"{_proxied(address)}"
        ) from error


def without_password(url: str) -> str:
    """``url`` for a screen or a log."""
    return re.sub(r"(?<=://)[^/@]*@", "", url)


def _checked(address: str, origin: str) -> str:
    url = address if "://" in address else f"http://{address}"
    shown = without_password(address)
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        good = False
    if not good:
        raise UsageError(f"{origin}{shown}: not the address of a Ray dashboard, as in http://127.0.0.1:8265")
    return url.rstrip("/")


def _refusal(error: AnswerError) -> str:
    if error.path == Client.VERSION and error.status == HTTPStatus.NOT_FOUND:
        return "no Ray dashboard; give the address that `ray start --head` prints, mostly with port 8265"
    if error.status == HTTPStatus.UNAUTHORIZED:
        return auth.MISSING
    if error.status == HTTPStatus.FORBIDDEN:
        return auth.REFUSED
    if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return "refuses what is sent as too large (413): raise the limit of the proxy before it"
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # With the server's traceback, whose last line says what it was.
        lines = [line for line in error.text.splitlines() if line.strip(" .'")]
        return one_line(f"failed: {lines[-1] if lines else error.status}")
    return f"refuses ({error.status}): {one_line(error.text)}"


def _proxied(address: str) -> str:
    """The proxy that an address is asked through: whoever answers, or does not, may be that."""
    parts = urlsplit(address if "://" in address else f"http://{address}")
    proxies = getproxies()
    kind = parts.scheme if parts.scheme in proxies else "all"
    if kind not in proxies or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return ""
    proxy = without_password(proxies[kind])
    remedy = f"if it should not be, add {parts.hostname} to no_proxy"
    return f"; asked through the proxy {proxy} of {kind}_proxy: {remedy}"


def _network_trouble(error: OSError) -> str:
    chain = [error]
    while isinstance(below := chain[-1].__cause__ or chain[-1].__context__, OSError):
        chain.append(below)
    text = " ".join(map(str, chain))
    if distrust := re.search(r"certificate verify failed: (.+?) \(_ssl", text):
        return (
            f"its certificate is not trusted ({distrust[1].rstrip('.')}); REQUESTS_CA_BUNDLE names a file of "
            "those that are"
        )
    if reason := re.search(r"\[Errno -?\d+\] ([^'\")\]]+)", text):
        why = reason[1]
    elif "timed out" in text:
        why = "timed out"
    elif "BadStatusLine" in text or "WRONG_VERSION_NUMBER" in text:
        why = "that is no HTTPS" if "SSL" in text else "that is no HTTP"
    else:
        why = one_line(without_password(str(chain[-1])))
    return f"no Ray dashboard answers there ({why})"
