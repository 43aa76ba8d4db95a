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


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("s3://KEY:topsecret@bucket/jobs", "holds credentials"),
        ("s3://KEY:half/topsecret@bucket/jobs", "holds credentials"),
        ("s3:///KEY:topsecret@bucket/jobs", "holds credentials"),
        ("s3://KEY:topsecret/bucket", "holds credentials"),
        ("s3://KEY:topsecret", "holds credentials"),
        ("s3://KEY:top?secret@bucket", "holds credentials"),
        ("s3://topsecret@bucket", "holds credentials"),
        ("s3://topsecret@bucket/a@b", "holds credentials"),
        ("S3://topsecret@bucket", "holds credentials"),
        ("gs://topsecret@bucket/a@b", "holds credentials"),
        ("gs://KEY:topsecret/b", "holds credentials"),
        ("abfss://account:topsecret@host/jobs", "holds credentials"),
        ("abfss://account:half/topsecret@host/jobs", "holds credentials"),
        ("s3://bucket/jobs?secret_key=topsecret&region=eu", "holds settings behind its path"),
        ("s3://bucket/jobs#topsecret", "holds settings behind its path"),
        ("gopher://topsecret:@x", "holds credentials"),
    ],
)
def test_an_address_with_more_than_a_place_is_refused_and_not_repeated(address: str, fault: str) -> None:
    with pytest.raises(StorageError, match=fault) as refused:
        open_address(address)
    assert "top" not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        "/data/a@b?c",
        "s3://bucket/a@b",
        "s3://bucket/a:b",
        "gs://anonymous@bucket/x",
        "hdfs://user@host:8020/x",
        "hdfs://[::1]:8020/x",
        "file:///",
        "abfss://container@account.example/x",
    ],
)
def test_such_signs_may_be_elsewhere(address: str) -> None:
    assert mistake(address) is None
    assert public(address) == address
