"""Serves the live page until a signal ends it."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import signal
import socket
from collections.abc import Callable

from aiohttp import web

from gandist.console import overview
from gandist.errors import UsageError
from gandist.serve.guard import Guard
from gandist.serve.site import Site

LEAST = 16
"""Characters of a token: it may be guessed at from everywhere."""
LEAVE_S = 1.0
"""What answers that are under way may still take."""


def serve(storage: str, host: str, port: int, token: str | None, say: Callable[[str], None]) -> None:
    """Serve the jobs of ``storage`` until Ctrl-C or SIGTERM.

    Args:
        storage: where job directories are kept: a path or ``s3://...``.
        host: the address to listen at.
        port: 0 = any that is free.
        token: that is asked for; None only on loopback.
        say: takes a line.

    Raises:
        UsageError: there is no such directory, others could read without a token, or the address is in use.
        StorageError: the storage refused.
    """
    check_token(host, token)
    overview.jobs(storage)  # a wrong address is told at once
    listening = _listen(host, port)
    try:
        asyncio.run(_serve(Site(storage).application(Guard(token)), listening, say))
    finally:
        listening.close()
    say("stopped")


def check_token(host: str, token: str | None) -> None:
    """Refuse what would let others read.

    Raises:
        UsageError: no token, or one that can be guessed.
    """
    if token is None and not _is_loopback(host):
        raise UsageError(
            f"--host {host}: others could read all jobs; give a token of at least {LEAST} characters, "
            "GANDIST_SERVE_TOKEN or --token, or leave --host out"
        )
    if token is not None and (len(token) < LEAST or not token.isprintable() or " " in token):
        raise UsageError(
            f"--token: give at least {LEAST} printable characters without spaces, as of: openssl rand -hex 16"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise UsageError(f"--host {host} --port {port}: {why}; give another, or --port 0 for any") from error
    return listening


async def _serve(app: web.Application, listening: socket.socket, say: Callable[[str], None]) -> None:
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=LEAVE_S)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    name, port = listening.getsockname()[:2]
    say(f"http://{f'[{name}]' if ':' in name else name}:{port}/  (Ctrl-C ends it)")
    await asked.wait()
    await runner.cleanup()
