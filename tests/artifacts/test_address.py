"""What is no address of a storage is told as such, and never becomes a directory of that name."""

from __future__ import annotations

import pytest

from gandist.artifacts.address import mistake, open_address, public
from gandist.errors import StorageError

GOOD = [
    *("runs", "/data/runs", "./s3:/b", "a:b", "s3", "https", "runs//x", "a b"),
    *(
        "s3://b",
        "s3://b/",
        "s3://b/x/y",
        "gs://anonymous@b/x",
        "file:///data",
        "hdfs:///data",
        "s3://b/a.b/..c",
    ),
]


@pytest.mark.parametrize("address", GOOD)
def test_directories_and_addresses_pass(address: str) -> None:
    assert mistake(address) is None
    assert public(address) == address


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("s3:/b/x", "write s3://b/x"),
        ("s3:b/x", "write s3://b/x"),
        ("s3//b/x", "write s3://b/x"),
        ("S3:/b", "write s3://b"),
        ("gs:/b", "write gs://b"),
        ("file:/x", "write /x or file:///x"),
        ("https:/h/b", "write https://h/b"),
        ("S3://b", "write s3:// in small letters"),
        ("http://host:9000/b", "AWS_ENDPOINT_URL"),
        ("HTTPS://host/b", "AWS_ENDPOINT_URL"),
        ("s3://b//x", "write s3://b/x"),
        ("s3://b/x//y//z/", "write s3://b/x/y/z"),
        ("file:////x", "write file:///x"),
        ("s3:///b", "names no bucket"),
        ("s3://b/../x", 'has ".."'),
        ("s3://b/./x", 'has "."'),
        ("", "is empty"),
        ("  ", "is empty"),
        ("caf\udce9", "is not UTF-8"),
        ("s3://b/caf\udce9", "is not UTF-8"),
    ],
)
def test_what_was_meant_is_told(address: str, says: str) -> None:
    assert says in str(mistake(address))
    with pytest.raises(StorageError, match=r"^storage "):
        open_address(address)


@pytest.mark.parametrize("address", ["s3:/key:secret@b", "s3//key:secret@b/x", "https:/u:secret@h/b"])
def test_a_secret_in_what_is_nearly_an_address_is_not_shown(address: str) -> None:
    assert "secret" not in f"{public(address)}{mistake(address)}"
