"""An S3 of our own: moto's server in a process of its own, behind a door that can be shut."""

from __future__ import annotations

import contextlib
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3

BUCKET = "gans"
PATIENCE_S = 60.0
_REFUSAL = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class ObjectStorage:
    """``s3://gans`` with credentials that nobody else has; leaving the context ends it.

    Args:
        folder: for what the server prints.
    """

    def __init__(self, folder: Path) -> None:
        self.secrets = {
            "AWS_ACCESS_KEY_ID": f"AKIA{secrets.token_hex(8).upper()}",
            "AWS_SECRET_ACCESS_KEY": secrets.token_hex(20),
            "AWS_SESSION_TOKEN": secrets.token_hex(30),
        }
        self._log = folder / "moto.txt"
        self._door = _Door()
        self._server: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with self._log.open("wb") as log:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        try:
            self._wait(port)
            self._door.open(port)
            self._client().create_bucket(Bucket=BUCKET)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in order to reach it."""
        return {
            **self.secrets,
            "AWS_ENDPOINT_URL": self._door.url,
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        """Meanwhile every request is answered with 503, and connections that are open are cut."""
        self._door.shut.set()
        try:
            yield
        finally:
            self._door.shut.clear()

    @property
    def refused(self) -> int:
        """Requests, so far."""
        return self._door.refused

    def objects(self) -> dict[str, bytes]:
        """Every object in the bucket by its key."""
        client = self._client()
        found: dict[str, bytes] = {}
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
            for item in page.get("Contents", ()):
                found[item["Key"]] = client.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()
        return found

    def unfinished_uploads(self) -> list[str]:
        """The keys of uploads that were begun and neither ended nor given up."""
        return [one["Key"] for one in self._client().list_multipart_uploads(Bucket=BUCKET).get("Uploads", ())]

    def _client(self) -> Any:
        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        keys = dict(zip(names, self.secrets.values(), strict=True))
        return boto3.client("s3", endpoint_url=self._door.url, region_name="us-east-1", **keys)

    def _wait(self, port: int) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                if self._server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"no S3:\n{self._log.read_text()}") from None
                time.sleep(0.05)
            else:
                return

    def _close(self) -> None:
        self._door.close()
        self._server.kill()
        self._server.wait()


class _Door:
    """Passes connections on to a port of this machine, or refuses what comes through them."""

    def __init__(self) -> None:
        self.shut = threading.Event()
        self.refused = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._port = 0

    def open(self, port: int) -> None:
        self._port = port
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes up who waits in accept()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            if self.shut.is_set():
                self._refuse(client)
                return
            with socket.create_connection(("127.0.0.1", self._port)) as server:
                back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
                back.start()
                self._pump(client, server)
                back.join()

    def _refuse(self, client: socket.socket) -> None:
        if client.recv(65536):
            self.refused += 1
            client.sendall(_REFUSAL)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):  # closed with something unread, it would reset the connection instead
                pass

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        """Until one side hangs up, or the door is shut while something comes."""
        try:
            while (content := source.recv(65536)) and not self.shut.is_set():
                sink.sendall(content)
        except OSError:
            pass
        finally:
            for side in (source, sink):
                with contextlib.suppress(OSError):
                    side.shutdown(socket.SHUT_RDWR)
