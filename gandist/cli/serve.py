"""The live page."""

from __future__ import annotations

from typing import Annotated

import typer

from gandist.cli import options
from gandist.cli.application import app


@app.command()
def serve(
    storage: Annotated[
        str,
        typer.Argument(
            metavar="STORAGE",
            envvar="GANDIST_STORAGE",
            help="Where job directories are kept: a path or s3://...",
            callback=options.from_home,
        ),
    ] = "runs",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where to listen; 0 = any that is free.")
    ] = 8321,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Another than this machine's own needs a token.")
    ] = "127.0.0.1",
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN",
            envvar="GANDIST_SERVE_TOKEN",
            help="Asked for by the page. Others see it among the processes: better in the variable.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Follow the jobs of a storage in a browser. Reads only.

    \b
    gandist serve
    gandist serve s3://bucket/gans --port 9000
    GANDIST_SERVE_TOKEN=$(openssl rand -hex 16) gandist serve /shared/runs --host 0.0.0.0
    """
    from gandist.serve import server

    server.serve(storage, host, port, token, typer.echo)
