"""Where things are kept: a directory, or an address such as ``s3://bucket/prefix`` that pyarrow knows."""

from __future__ import annotations

from pathlib import Path

import pyarrow.fs as pafs

from gandist.errors import StorageError


def mistake(address: str) -> str | None:
    """What must not be in an address, for after ``--storage ...: ``; None = nothing.

    An address is printed, and written to reports and to a cluster's list of jobs, so it holds no secret.
    Paths are added to its end, so a path must stand there.
    """
    scheme, is_uri, rest = address.partition("://")
    if not is_uri:
        return None
    if not rest.strip("/"):
        return f"names no bucket; write {scheme}://bucket or {scheme}://bucket/path"
    user, at, _ = rest.partition("/")[0].rpartition("@")
    if at and (":" in user or scheme == "s3"):
        return (
            "holds credentials, which everyone who sees the job would see; take them out, and give them to "
            "its machines: as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or as a role"
        )
    if "?" in rest or "#" in rest:
        return (
            "holds settings behind its path; take them out, and set AWS_ENDPOINT_URL and AWS_REGION instead"
        )
    return None


def open_address(address: str) -> tuple[pafs.FileSystem, str]:
    """The file system of an address, and the path in it.

    Raises:
        StorageError: the address is wrong.
        OSError: it cannot be reached; looking where a bucket lies takes a request.
    """
    if "://" not in address:
        return pafs.LocalFileSystem(), str(Path(address).absolute())
    if wrong := mistake(address):
        raise StorageError(f"storage {public(address)}: {wrong}")
    # Without it an object takes three requests, and a process that is killed between them leaves an upload
    # that is neither there nor gone, and is paid for. Large ones are still sent in parts.
    options = "?allow_delayed_open=true" if address.startswith("s3://") else ""
    try:
        file_system, path = pafs.FileSystem.from_uri(address + options)
    except ValueError as error:
        raise StorageError(f"storage {address}: {str(error).splitlines()[0]}") from error
    return file_system, path.rstrip("/")


def public(address: str) -> str:
    """An address as it may be shown: without what may be secret in it."""
    scheme, is_uri, rest = address.partition("://")
    if not is_uri:
        return address
    place, slash, path = rest.partition("/")
    return f"{scheme}://{place.rpartition('@')[2]}{slash}{path.partition('?')[0].partition('#')[0]}"
