"""Random damage to the files of a job directory, as a crash, a disk or a stranger may do it."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

ESCAPE = "\x1b[31m\x1b]0;owned\x07"
RAW = {
    f"@raw{n}@": text for n, text in enumerate(("9" * 5000, "-" + "9" * 5000, "1e999", "NaN", "-Infinity"))
}
"""JSON that no Python value gives, by what stands for it."""
HOSTILE: tuple[Any, ...] = (
    *RAW,
    0,
    -1,
    1,
    2**31,
    2**62,
    2**63,
    2**64,
    10**30,
    0.5,
    -0.0,
    1e11,
    1e300,
    -1e300,
    True,
    False,
    None,
    "",
    "0",
    "yes",
    ESCAPE,
    "a\nb",
    "\u202eevil\u2066",
    "\ud800",
    "\x00",
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    "x" * 100_000,
    "{",
    '{"steps": null}',
    '{"steps": "many"}',
    "[]",
    "completed",
    "2026-99-99T00:00:00Z",
    [],
    {},
    [[]],
    {"": {}},
    {ESCAPE: ESCAPE},
    ["\x9b31m"] * 50,
    {"id": True, "config": 3, "seed": "0"},
)
PAIRS = list(zip("abcdefgh", "bcdefghi", strict=True))
YAMLS = (
    "a: &a [x,x,x,x]\n" + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in PAIRS),
    "a: &a {x: 1}\n" + "".join(f"{b}: &{b} {{<<: [{','.join([f'*{a}'] * 9)}]}}\n" for a, b in PAIRS),
    "&a {x: *a}",
    "x: !!python/object/apply:os.system [true]",
    "x: !!timestamp 2001-99-99",
    "x: 2001-99-99",
    "x: 1:99:99",
    "x: 0b" + "1" * 20_000,
    "x: " + "1" * 5000,
    "[" * 100_000,
    "x: " + "{a: " * 100_000,
    "? [a, b]\n: 1",
    'x: "\\e[31m\\u202e\\uD800"',
    "--- 1\n--- 2\n",
    "\ufeff{}",
    "%YAML 9.9\n---\n{}",
)
Change = Callable[[Random, Path], None]


def mutate(random: Random, root: Path, times: int) -> list[str]:
    """Damage so many files below ``root``; what was done, in words."""
    done = []
    for _ in range(times):
        files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
        path = random.choice(files)
        changes = [
            *ANY,
            *(change for suffix, more in OF_KIND.items() if path.suffix == suffix for change in 3 * more),
        ]
        change = random.choice(changes)
        done.append(f"{change.__name__} {path.relative_to(root)}")
        change(random, path)
    return done


def flip(random: Random, path: Path) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(random.choice((1, 4, 64))):
        if content:
            content[random.randrange(len(content))] = random.randrange(256)
    path.write_bytes(bytes(content))


def truncate(random: Random, path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: random.randint(0, len(content))])


def splice(random: Random, path: Path) -> None:
    """A piece of one of its neighbours, or of itself."""
    other = random.choice(
        [p for p in path.parent.iterdir() if p.is_file() and not p.is_symlink()]
    ).read_bytes()
    content, at = path.read_bytes(), random.randint(0, 200)
    path.write_bytes(content[:at] + other[random.randint(0, 100) :] + content[at:])


def of_another(random: Random, path: Path) -> None:
    """The whole file of another kind or trial."""
    files = sorted(p for p in path.parents[1].rglob("*") if p.is_file() and not p.is_symlink())
    path.write_bytes(random.choice(files).read_bytes())


def empty(_: Random, path: Path) -> None:
    path.write_bytes(b"")


def huge(_: Random, path: Path) -> None:
    os.truncate(path, 2**40)


def missing(_: Random, path: Path) -> None:
    path.unlink()


def fifo(_: Random, path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_socket(_: Random, path: Path) -> None:
    path.unlink()
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(path.parent)  # an address has room for a hundred characters
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


def directory(random: Random, path: Path) -> None:
    path.unlink()
    path.mkdir()
    if random.random() < 0.5:
        (path / "manifest.json").write_text("{}")


def link(random: Random, path: Path) -> None:
    path.unlink()
    targets = (
        path.name,
        "nowhere",
        "/dev/zero",
        "/etc/passwd",
        "/dev/tty",
        "/proc/self/mem",
        "..",
        "/",
        "manifest.json",
    )
    path.symlink_to(random.choice(targets))


def folder(random: Random, path: Path) -> None:
    """Something else in the place of the directory that it lies in."""
    place = path.parent
    if place.name in ("small", "trials"):
        return
    shutil.rmtree(place)
    random.choice((Path.touch, os.mkfifo, lambda p: p.symlink_to(p.name), lambda p: p.symlink_to("/etc")))(
        place
    )


def neighbour(random: Random, path: Path) -> None:
    """A file of an odd name beside it."""
    names = (
        b"\xff\xfe",
        b"\x1b[31m",
        b"a\nb",
        "\u202e".encode(),
        b"step-99999999999999999999.png",
        b"part-0-0.parquet",
        b"step-000000001",
        b"part-000000001-99999999999999999999.parquet",
        b"x" * 250,
        b"%2e%2e",
        b"?a#b",
        b"x.tmp",
    )
    place = os.path.join(os.fsencode(path.parent), random.choice(names))  # noqa: PTH118 - bytes
    if random.random() < 0.3:
        os.symlink(b".", place)  # noqa: PTH211
    else:
        Path(os.fsdecode(place)).write_bytes(path.read_bytes())


ANY: tuple[Change, ...] = (
    flip,
    truncate,
    splice,
    of_another,
    empty,
    huge,
    missing,
    fifo,
    a_socket,
    directory,
    link,
    folder,
    neighbour,
)


def leaf(random: Random, path: Path) -> None:
    """Another value somewhere."""
    _rewrite(random, path, lambda parent, key: parent.__setitem__(key, random.choice(HOSTILE)))


def drop(random: Random, path: Path) -> None:
    _rewrite(random, path, lambda parent, key: parent.pop(key))


def nest(random: Random, path: Path) -> None:
    """A value that is nested deeper than any stack."""
    depth, (opening, closing) = random.choice((50, 300, 100_000)), random.choice((("[", "]"), ('{"a":', "}")))
    _rewrite(random, path, lambda parent, key: parent.__setitem__(key, "@deep@"))
    path.write_text(
        path.read_text().replace('"@deep@"', opening * depth + "1" + closing * depth).replace("'@deep@'", "[")
    )


def twice(random: Random, path: Path) -> None:
    """A key that stands there twice."""
    lines = path.read_text().split("\n")
    at = random.randrange(len(lines))
    path.write_text("\n".join([*lines[:at], lines[at], *lines[at:]]))


def many(random: Random, path: Path) -> None:
    """A list or a mapping with very many values."""
    filled = random.choice((["x"] * 300_000, {str(n): n for n in range(100_000)}, [ESCAPE] * 10_000))
    _rewrite(random, path, lambda parent, key: parent.__setitem__(key, filled))


def yaml_text(random: Random, path: Path) -> None:
    extra = random.choice(YAMLS)
    path.write_text(random.choice((extra, path.read_text() + "\n" + extra)), errors="surrogatepass")


def _rewrite(random: Random, path: Path, change: Callable[[Any, Any], object]) -> None:
    is_json = path.suffix == ".json"
    try:
        document = json.loads(path.read_text()) if is_json else yaml.safe_load(path.read_text())
    except (ValueError, yaml.YAMLError, RecursionError):
        return  # it was damaged before
    parents = [(document, key) for key in _keys(document)]
    for parent, key in parents:
        inner = parent[key]
        parents += [(inner, key) for key in _keys(inner)]
    if not parents:
        return
    change(*random.choice(parents))
    text = json.dumps(document, indent=1) if is_json else yaml.safe_dump(document, sort_keys=False)
    for mark, raw in RAW.items():
        text = text.replace(f'"{mark}"', raw).replace(f"'{mark}'", raw)
    path.write_text(text)


def _keys(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value)
    return list(range(min(len(value), 5))) if isinstance(value, list) else []


def column(random: Random, path: Path) -> None:
    """A column of another name, type, value or owner, or none."""
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException):
        return
    at = random.randrange(table.num_columns)
    name, rows = table.column_names[at], table.num_rows
    odd: tuple[Any, ...] = (
        None,
        "",
        ESCAPE,
        "a\nb",
        "another-seed7",
        -1,
        0,
        2**62,
        1.5,
        1e300,
        float("nan"),
        float("inf"),
        True,
        [1],
        b"\xff",
    )
    made = random.choice(
        (
            lambda: table.drop_columns([name]),
            lambda: table.rename_columns([ESCAPE if n == name else n for n in table.column_names]),
            lambda: table.slice(0, 0),
            lambda: pa.concat_tables([table] * 50),
            *[lambda: table.set_column(at, name, pa.array([random.choice(odd)] * rows))] * 4,
            lambda: table.set_column(at, name, pa.array([random.choice(odd)] + [None] * (rows - 1))),
            lambda: table.set_column(at, name, table[at].cast(pa.string())),
            lambda: table.set_column(at, name, table[at].cast(pa.string()).dictionary_encode()),
            lambda: table.set_column(
                at, name, pa.array(np.resize([np.nan, np.inf, -np.inf, 0.0, 1e308], rows))
            ),
        )
    )()
    pq.write_table(made, path)


def footer(random: Random, path: Path) -> None:
    """What Parquet says of itself: the last bytes are where its reader begins."""
    content = bytearray(path.read_bytes())
    for _ in range(random.choice((1, 3, 20))):
        if content:
            content[-1 - random.randrange(min(len(content), 2500))] = random.randrange(256)
    path.write_bytes(bytes(content))


def bomb(random: Random, path: Path) -> None:
    """A PNG or GIF that says it is very large, or of no size."""
    content = bytearray(path.read_bytes())
    if len(content) > 24:
        width, height = (random.choice((0, 1, 9999, 65535, 2**31 - 1, 2**32 - 1)) for _ in range(2))
        content[16:24] = struct.pack(">II", width, height)
        content[6:10] = (
            struct.pack("<HH", width & 65535, height & 65535) if path.suffix == ".gif" else content[6:10]
        )
    path.write_bytes(bytes(content))


def arrays(random: Random, path: Path) -> None:
    """Another archive, whose checksum is wrong."""
    buffer = io.BytesIO()
    save = random.choice((np.savez, np.savez_compressed))
    save(buffer, **{random.choice(("step", "x", "../x")): np.zeros(random.choice((0, 1, 10**6)))})
    path.write_bytes(buffer.getvalue())


OF_KIND: dict[str, tuple[Change, ...]] = {
    ".json": (leaf, leaf, leaf, drop, nest, twice, many),
    ".yaml": (leaf, leaf, drop, nest, twice, many, yaml_text, yaml_text),
    ".parquet": (column, column, footer),
    ".png": (bomb,),
    ".gif": (bomb,),
    ".npz": (arrays,),
}
