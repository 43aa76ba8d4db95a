"""Who may read: on loopback this machine, elsewhere whoever knows the token. And what a browser may do."""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable

from aiohttp import web

from gandist.printable import one_line, printable
from gandist.serve import views

COOKIE = "gandist_serve"
LOCAL = ("localhost", "127.0.0.1", "[::1]")
"""What a browser calls this machine."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Inline style attributes are the report's: widths, and colours of a map."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
OPEN = ("/login", "/static/style.css", "/static/live.css")
"""What the page that asks for the token needs."""

LOGGER = logging.getLogger("gandist.serve")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Guard:
    """Lets nobody in who may not read, and adds ``HEADERS`` to every answer that has none of its own.

    Args:
        token: that is asked for; None = nothing is, and only names of this machine are answered to.
    """

    def __init__(self, token: str | None) -> None:
        self._token = token
        self._session = secrets.token_urlsafe(32)
        """What a browser has once it has shown the token; ends with this process."""

    @web.middleware
    async def watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request, or refuse it."""
        try:
            response = self._refusal(request) or await handler(request)
        except web.HTTPException as error:
            response = _told(error.status, error.reason)
        except Exception as error:
            LOGGER.exception("%s could not be answered", printable(request.path_qs, 200))
            response = _told(500, f"this cannot be shown: {one_line(error)}")
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def _refusal(self, request: web.Request) -> web.Response | None:
        if self._token is None:
            # A page of any site may name this machine as its own: its requests arrive here under that name.
            host = request.host.lower()
            if (host if host.endswith("]") else host.rpartition(":")[0] or host) not in LOCAL:
                return _told(403, "this address is answered under the names of this machine only: 127.0.0.1")
            return None
        if request.path in OPEN or self._knows_token(request):
            return None
        if request.path.endswith("/live") or request.path == "/rows":
            return _told(401, "the token is needed")
        return web.Response(status=401, text=views.page("login.html", wrong=False), content_type="text/html")

    def _knows_token(self, request: web.Request) -> bool:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._is_token(given.strip()):
            return True
        return _equal(request.cookies.get(COOKIE, ""), self._session)

    def _is_token(self, given: str) -> bool:
        return self._token is not None and _equal(given, self._token)

    async def log_in(self, request: web.Request) -> web.StreamResponse:
        """Give a browser that shows the token a cookie."""
        given = (await request.post()).get("token")
        if not isinstance(given, str) or not self._is_token(given.strip()):
            page = views.page("login.html", wrong=True)
            return web.Response(status=401, text=page, content_type="text/html")
        response = web.Response(status=303, headers={"Location": "/"})
        secure = request.headers.get("X-Forwarded-Proto", request.scheme) == "https"
        response.set_cookie(COOKIE, self._session, httponly=True, samesite="Strict", secure=secure)
        return response


def _equal(given: str, expected: str) -> bool:
    """Without telling by the time that it takes how much of it is right."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))


def _told(status: int, what: str) -> web.Response:
    page = views.page("told.html", status=status, what=what)
    return web.Response(status=status, text=page, content_type="text/html")
