"""The addresses of the live page, and who answers them. Threads read, one at a time for each job."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import partial

from aiohttp import web

from gandist.artifacts import images
from gandist.artifacts.job_dir import JobDir
from gandist.console import overview
from gandist.errors import NotAFileError, NotAJobError, StorageError
from gandist.printable import printable
from gandist.report import render
from gandist.serve import views
from gandist.serve.drivers import Drivers
from gandist.serve.guard import Guard
from gandist.serve.index import Index
from gandist.serve.live import Follower, Live
from gandist.version import VERSION

PATIENCE_S = 0.6
"""For the index: what is not read by then comes with the next look."""
FRESH_S = 0.7
"""What was read so recently is not looked at again: there may be many windows."""
MAX_JOBS = 8
"""That are followed at a time; each holds its curves."""
MAX_COMPARED = 8
MAX_GRID = 16 * 2**20
MAX_REPORT = 256 * 2**20
"""Bytes of what is sent as it lies there."""
STATIC = {
    "style.css": (render.HERE / "style.css", "text/css"),
    "live.css": (views.HERE / "static/live.css", "text/css"),
    **{
        name: (views.HERE / f"static/{name}", "text/javascript")
        for name in ("index.js", "live.js", "chart.js")
    },
}
STRANGER = (
    "sandbox allow-downloads; default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""For a report as it lies there: whoever wrote the directory may have written that file, too."""


@dataclass
class _Followed:
    follower: Follower
    view: views.JobView
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    live: Live | None = None
    looked: float = 0.0


class Site:
    """All pages of one storage.

    Args:
        storage: where job directories are kept: a path or ``s3://...``.
    """

    def __init__(self, storage: str) -> None:
        self._root = JobDir(storage)
        self._drivers = Drivers()
        self._index = Index(storage, self._drivers)
        self._looking: asyncio.Task[None] | None = None
        self._followed: OrderedDict[str, _Followed] = OrderedDict()
        self._static = {name: (path.read_bytes(), kind) for name, (path, kind) in STATIC.items()}

    def application(self, guard: Guard) -> web.Application:
        """What answers."""
        app = web.Application(middlewares=[guard.watch], client_max_size=2**14)
        app.add_routes(
            [
                web.get("/", self._index_page),
                web.get("/rows", self._rows),
                web.get("/compare", self._compare),
                web.get("/jobs/{job}", self._job_page),
                web.get("/jobs/{job}/live", self._live),
                web.get("/jobs/{job}/report", self._report),
                web.get("/jobs/{job}/grids/{trial}/{step}.png", self._grid),
                web.get("/static/{name}", self._file),
                web.post("/login", guard.log_in),
            ]
        )
        return app

    async def _index_page(self, _: web.Request) -> web.Response:
        rows = await self._looked_at()
        return _html(views.page("index.html", storage=self._root.root, rows=rows, version=VERSION))

    async def _rows(self, _: web.Request) -> web.Response:
        return _html(await self._looked_at())

    async def _looked_at(self) -> str:
        """The rows as they are now, or as far as they are read in ``PATIENCE_S``."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(asyncio.to_thread(self._index.refresh))
        await asyncio.wait([self._looking], timeout=PATIENCE_S)
        return await asyncio.to_thread(views.rows, self._index.rows(), self._index.problem)

    async def _job_page(self, request: web.Request) -> web.Response:
        name = request.match_info["job"]
        await self._find(name)
        return _html(views.page("job.html", jobs=[name], version=VERSION))

    async def _compare(self, request: web.Request) -> web.Response:
        asked = [name for part in request.query.getall("jobs", []) for name in part.split(",") if name]
        names = list(dict.fromkeys(asked))[:MAX_COMPARED]
        if not names:
            raise web.HTTPBadRequest(reason="name the jobs to compare: /compare?jobs=a,b")
        for name in names:
            await self._find(name)
        return _html(views.page("job.html", jobs=names, version=VERSION))

    async def _live(self, request: web.Request) -> web.Response:
        since = request.query.get("since", "0")
        followed = await self._find(request.match_info["job"])
        async with followed.lock:
            live = await self._seen(followed)
            whole = partial(followed.view.payload, live, int(since) if since.isdecimal() else 0)
            body = await asyncio.to_thread(whole)
        response = web.Response(body=body, content_type="application/json")
        response.enable_compression()
        return response

    async def _report(self, request: web.Request) -> web.Response:
        directory = await self._job_dir(request.match_info["job"])
        content = await _read(directory, JobDir.REPORT, MAX_REPORT)
        return web.Response(
            body=content,
            content_type="text/html",
            charset="utf-8",
            headers={"Content-Security-Policy": STRANGER},
        )

    async def _grid(self, request: web.Request) -> web.Response:
        followed = await self._find(request.match_info["job"])
        async with followed.lock:
            live = followed.live or await self._seen(followed)
        trial = live.trials.get(request.match_info["trial"])
        paths = {str(step): path for step, path in trial.grids} if trial else {}
        path = paths.get(request.match_info["step"])
        if trial is None or path is None:
            raise web.HTTPNotFound(reason="no such grid")
        directory = live.content.job_dir
        content = await _read(directory, f"trials/{trial.trial.id}/{path}", MAX_GRID)
        if not images.is_whole_png(content):
            raise web.HTTPNotFound(reason="that grid is torn or no PNG")
        return web.Response(body=content, content_type="image/png")

    async def _file(self, request: web.Request) -> web.Response:
        known = self._static.get(request.match_info["name"])
        if known is None:
            raise web.HTTPNotFound(reason="no such file")
        return web.Response(body=known[0], content_type=known[1], charset="utf-8")

    async def _seen(self, followed: _Followed) -> Live:
        """The job as it is now; with its lock held."""
        if followed.live is None or time.monotonic() - followed.looked > FRESH_S:
            followed.live = None
            try:
                followed.live = await asyncio.to_thread(followed.follower.refresh)
            except NotAJobError as error:
                raise web.HTTPNotFound(reason=_line(error)) from error
            except StorageError as error:
                raise web.HTTPBadGateway(reason=_line(error)) from error
            followed.looked = time.monotonic()
        return followed.live

    async def _find(self, name: str) -> _Followed:
        """The job of that name, followed from now on.

        Raises:
            web.HTTPNotFound: there is none.
        """
        directory = await self._job_dir(name)
        if name not in self._followed:
            self._followed[name] = _Followed(Follower(directory, self._drivers), views.JobView(name))
        self._followed.move_to_end(name)
        while len(self._followed) > MAX_JOBS:
            self._followed.popitem(last=False)
        return self._followed[name]

    async def _job_dir(self, name: str) -> JobDir:
        """Its directory: a name from an address becomes a path only where the storage lists it."""
        if name in self._followed and self._followed[name].live is not None:
            return self._followed[name].follower.job_dir
        try:
            found = await asyncio.to_thread(overview.find, self._root, name)
        except StorageError as error:
            raise web.HTTPBadGateway(reason=_line(error)) from error
        if found is None:
            raise web.HTTPNotFound(reason=_line(f"no job {name} in {self._root.root}"))
        return found


async def _read(directory: JobDir, path: str, limit: int) -> bytes:
    try:
        return await asyncio.to_thread(directory.storage.read, path, limit)
    except FileNotFoundError as error:
        raise web.HTTPNotFound(reason="no such file (yet)") from error
    except NotAFileError as error:
        raise web.HTTPNotFound(reason=_line(error)) from error
    except StorageError as error:
        raise web.HTTPBadGateway(reason=_line(error)) from error


def _line(what: object) -> str:
    return printable(what, 400)


def _html(page: str) -> web.Response:
    return web.Response(body=page.encode("utf-8", "replace"), content_type="text/html", charset="utf-8")
