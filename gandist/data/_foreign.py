"""MNIST in a form that gandist does not read: what was found, and the command that converts it.

The command makes Keras' layout, an ``.npz`` of ``x_train``, ``y_train``, ``x_test`` and ``y_test``. Where
there is no test split, the last seventh becomes one, as many as MNIST has.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import shlex
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

KEYS = ("x_train", "y_train", "x_test", "y_test")
PIXELS = 784
MAX_ENTRIES = 1000
"""Of a folder that are looked at."""


Pairs = list[tuple[str, str]]
"""Expressions for the images and the labels of each split in ``a``, the training split first."""


@dataclass(frozen=True)
class _Form:
    """A form in which the data is common."""

    what: str
    setup: str
    """Python that makes ``r``, a function of a file's name, which gives ``a``."""
    pairs: Callable[[Path], Pairs]
    """What ``a`` holds of a file; nothing where that is something else. May raise anything."""


def conversion(folders: Sequence[Path], target: Path) -> str | None:
    """What of MNIST lies in ``folders`` or right below them, and how to make ``target`` of it; a line."""
    files = list(dict.fromkeys(itertools.chain.from_iterable(map(_files, folders))))
    for suffix, form in _FORMS.items():
        found = [path for path in files if path.suffix.lower() == suffix and path != target]
        if splits := {path: pairs for path in found if (pairs := _pairs_of(form, path))}:
            return _line(form, splits, target)
    if pictures := [path for path in files if path.suffix.lower() in (".png", ".jpg", ".jpeg")]:
        folder = pictures[0].parent
        inside = folder.parent if folder.name.isdecimal() else folder
        return (
            f"{target}: no such file; {inside} holds pictures, which are read as they are with "
            f"data: {{name: image_folder, path: {json.dumps(str(inside))}, image_size: 28, channels: 1}}"
        )
    return None


def other_keys(path: Path) -> str | None:
    """What an ``.npz`` holds instead of ``KEYS``, and how to convert it; None where it has one of those."""
    try:
        shapes = _shapes(path)
    except Exception:  # noqa: BLE001 - whatever it is, reading it will tell
        return None
    if shapes.keys() & set(KEYS):
        return None
    held = f"{path}: holds {', '.join(list(shapes)[:8]) or 'nothing'} in place of {', '.join(KEYS)}"
    splits = _pairs(shapes)
    if not splits:
        return f"{held}; bring Keras' {path.name}, or leave --data-dir out to have it downloaded"
    return f"{held}; convert it: {_command(f'a=np.load({_text(path)});', splits, path)}"


def _files(folder: Path) -> Iterator[Path]:
    """The files in ``folder`` and in its folders, and theirs."""
    if folder.is_file():
        yield folder
    for pattern in ("*", "*/*", "*/*/*"):
        with contextlib.suppress(OSError):
            entries = itertools.islice(folder.glob(pattern), MAX_ENTRIES)
            yield from (path for path in entries if path.is_file())


def _pairs_of(form: _Form, path: Path) -> Pairs:
    try:
        return form.pairs(path)
    except Exception:  # noqa: BLE001 - a stranger's file, which is not what its name says
        return []


def _line(form: _Form, found: Mapping[Path, Pairs], target: Path) -> str:
    tests = [path for path in found if any(word in path.stem.lower() for word in ("test", "t10k", "valid"))]
    train = next((path for path in found if path not in tests), None) or tests[0]
    setup, pairs = f"{form.setup}a=r({_text(train)});", found[train]
    if len(pairs) == 1 and tests[:1] not in ([], [train]):
        setup += f"b=r({_text(tests[0])});"
        images, labels = found[tests[0]][0]
        pairs = [*pairs, (images.replace("a[", "b["), labels.replace("a[", "b["))]
    return f"{target}: no such file; {train} is {form.what}; convert it: {_command(setup, pairs, target)}"


def _command(setup: str, splits: Sequence[tuple[str, str]], target: Path) -> str:
    """For a shell."""
    images = [f"g({x})" for x, _ in splits]
    labels = [f"np.ravel({y}).astype(int)" for _, y in splits]
    code = 'import numpy as np;g=lambda x:(x*(255/x.max())).round().astype("u1").reshape(-1,28,28);' + setup
    if len(splits) == 1:
        code += f"x,y={images[0]},{labels[0]};k=len(y)*6//7;"
        images, labels = ["x[:k]", "x[k:]"], ["y[:k]", "y[k:]"]
    values = ",".join(
        f"x_{split}={x},y_{split}={y}" for split, x, y in zip(("train", "test"), images, labels, strict=True)
    )
    return f"python -c {shlex.quote(f'{code}np.savez({_text(target)},{values})')}"


def _text(path: Path) -> str:
    return json.dumps(str(path))


def _pairs(shapes: Mapping[str, tuple[int, ...]]) -> Pairs:
    """By the arrays' shapes, the larger split first; nothing where they are not clear."""
    found = []
    for name, shape in shapes.items():
        turned = len(shape) == 2 and shape[0] == PIXELS and shape[1] != PIXELS
        count = shape[1] if turned else shape[0] if shape else 0
        if len(shape) > 1 and math.prod(shape) == count * PIXELS:
            labels = [other for other, s in shapes.items() if other != name and math.prod(s) == count]
            if not labels:
                return []
            found.append((count, f"a[{json.dumps(name)}]{'.T' * turned}", f"a[{json.dumps(labels[0])}]"))
    found.sort(key=lambda split: -split[0])
    return [(images, labels) for _, images, labels in found][:2]


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Of each array of an ``.npz``, from its header."""
    shapes = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as file:
                version = np.lib.format.read_magic(file)
                header = np.lib.format
                read = header.read_array_header_1_0 if version == (1, 0) else header.read_array_header_2_0
                shapes[name.removesuffix(".npy")] = read(file)[0]
    return shapes


def _csv(path: Path) -> Pairs:
    with path.open(encoding="utf-8", errors="replace") as file:
        columns = file.readline(100_000).count(",")
    return [("a[:,1:]", "a[:,0]")] if columns == PIXELS else []


def _mat(path: Path) -> Pairs:
    from scipy.io import whosmat

    return _pairs({name: shape for name, shape, _ in whosmat(path)})


def _parquet(path: Path) -> Pairs:
    import pyarrow.parquet as pq

    columns = {"image", "label"}
    return [('a["image"]', 'a["label"]')] if columns <= set(pq.read_schema(path).names) else []


_FORMS = {
    ".csv": _Form(
        "a CSV of labels and pixels",
        'r=lambda f:np.loadtxt(f,delimiter=",",ndmin=2,skiprows=int(not open(f).read(1).isdigit()));',
        _csv,
    ),
    ".npz": _Form("an npz of other arrays", "r=np.load;", lambda path: _pairs(_shapes(path))),
    ".mat": _Form("a MATLAB file", "import scipy.io;r=scipy.io.loadmat;", _mat),
    ".parquet": _Form(
        "a Parquet file of pictures",
        "import io,pyarrow.parquet as pq;from PIL import Image as I;"
        'r=lambda f:(lambda t:{"image":np.stack([np.array(I.open(io.BytesIO(i["bytes"])).convert("L")) '
        'for i in t["image"].to_pylist()]),"label":np.array(t["label"])})(pq.read_table(f));',
        _parquet,
    ),
}
