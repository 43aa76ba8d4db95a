"""Where things are kept: a directory, or an address such as ``s3://bucket/prefix`` that pyarrow knows."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.fs as pafs

from gandist.errors import StorageError

_NEARLY = re.compile(r"(s3|gs|gcs|file|hdfs|viewfs|abfss?|https?)(:/|:|//)(?=.)", re.IGNORECASE)
_SECRET = re.compile("[:@?#]")


def mistake(address: str) -> str | None:
    """What must not be in an address, for after ``--storage ...: ``; None = nothing.

    An address is printed, and written to reports and to a cluster's list of jobs, so it holds no secret.
    Paths are added to its end, so a path must stand there.
    """
    if not address.strip():
        return "is empty; give a directory, or s3://bucket/path"
    if address.encode("utf-8", "replace").decode() != address:
        return "is not UTF-8 text; give it another name"
    scheme, is_uri, rest = address.partition("://")
    if not is_uri:
        return _nearly_uri(address)
    if scheme.lower() in ("http", "https"):
        return (
            "is a web address, not a storage; for a server that speaks S3 write s3://bucket/path and set "
            "AWS_ENDPOINT_URL to its address"
        )
    of_s3 = scheme.lower() == "s3"
    if _holds_credentials(scheme.lower(), rest):
        names = ": as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or as a role" if of_s3 else ""
        return (
            "holds credentials, which everyone who sees the job would see; take them out, and give them to "
            f"its machines{names}"
        )
    if "?" in rest or "#" in rest:
        instead = ", and set AWS_ENDPOINT_URL and AWS_REGION instead" if of_s3 else ""
        return f"holds settings behind its path; take them out{instead}"
    if scheme != scheme.lower():
        return f"write {scheme.lower()}:// in small letters"
    if (not rest.strip("/") and scheme != "file") or (rest.startswith("/") and scheme in ("s3", "gs", "gcs")):
        return f"names no bucket; write {scheme}://bucket or {scheme}://bucket/path"
    parts = rest.rstrip("/").split("/")[1 if rest.startswith("/") else 0 :]
    if odd := next((part for part in parts if part in (".", "..")), None):
        return f'has "{odd}" as a part of its path, which object stores do not resolve; write the path itself'
    if "" in parts:
        single = "/" * rest.startswith("/") + "/".join(filter(None, parts))
        return f"has slashes side by side; write {scheme}://{single}"
    return None


def _nearly_uri(address: str) -> str | None:
    """What is wrong with a path that was meant as an address: it would become a directory of that name."""
    found = _NEARLY.match(address)
    if not found:
        return None
    scheme, rest = found[1].lower(), address[found.end() :].lstrip("/")
    rest = "bucket/path" if _SECRET.search(rest) else rest
    meant = f"/{rest} or file:///{rest}" if scheme == "file" else f"{scheme}://{rest}"
    return f"is no address; write {meant} (a directory of that name is ./{found[0]}...)"


def _holds_credentials(scheme: str, rest: str) -> bool:
    """A secret may hold a slash, so what looks like the place can be the first half of one."""
    place, _, path = rest.partition("/")
    user, at, host = place.rpartition("@")
    if scheme == "s3":
        return ":" in place or bool(at) or (":" in path and "@" in path.rpartition(":")[2])
    if ":" in user or (scheme == "gs" and user not in ("", "anonymous")):
        return True
    port = host.rpartition("]")[2].partition(":")[2]  # an IPv6 address has brackets, and colons within
    return bool(port.strip("0123456789"))


def open_address(address: str) -> tuple[pafs.FileSystem, str]:
    """The file system of an address, and the path in it.

    Raises:
        StorageError: the address is wrong.
        OSError: it cannot be reached; looking where a bucket lies takes a request.
    """
    if wrong := mistake(address):
        raise StorageError(f"storage {public(address)}: {wrong}")
    if "://" not in address:
        return pafs.LocalFileSystem(), str(Path(address).absolute())
    # Without it an object takes three requests, and a process that is killed between them leaves an upload
    # that is neither there nor gone, and is paid for. Large ones are still sent in parts.
    options = "?allow_delayed_open=true" if address.startswith("s3://") else ""
    try:
        file_system, path = pafs.FileSystem.from_uri(address + options)
    except ValueError as error:  # its text repeats the address
        raise StorageError(
            f"storage {public(address)}: no address of a storage; give a directory, or s3://bucket/path"
        ) from error
    return file_system, path.rstrip("/")


def public(address: str) -> str:
    """An address as it may be shown: nothing but its kind where it may hold a secret."""
    scheme, is_uri, rest = address.partition("://")
    if not is_uri:
        nearly = _NEARLY.match(address)
        return f"{nearly[0]}..." if nearly and _SECRET.search(address, nearly.end()) else address
    if _holds_credentials(scheme.lower(), rest):
        return f"{scheme}://..."
    return f"{scheme}://{rest.partition('?')[0].partition('#')[0]}"
