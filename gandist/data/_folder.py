"""What a folder of pictures holds: the pictures, their classes, and what is left out and why.

Nothing goes missing in silence: other files are counted by kind, folders without pictures are named, and
where a class would be lost, because its pictures lie deeper or are not read, the folder is refused.
"""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gandist.data import _pictures
from gandist.errors import DataError
from gandist.printable import printable

JUNK = frozenset(
    (
        *("@eadir", "#recycle", "#snapshot", "$recycle.bin", "__macosx", "lost+found"),
        "system volume information",
    )
)
"""Folders, in lower case, that systems keep beside the user's: thumbnails, deleted files, resource forks."""
CONVERTIBLE = frozenset(
    (
        *(".heic", ".heif", ".avif", ".jxl", ".jp2", ".j2k", ".jpx", ".psd", ".svg", ".tga", ".ico", ".exr"),
        *(".hdr", ".pfm", ".pam", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".raw"),
        *(".eps", ".pcx"),
    )
)
"""Extensions of pictures that are not read."""
PHONES = frozenset((".heic", ".heif"))
"""What many telephones make, and few programs read."""
SHOWN = 6
LOOKED_AT = 20_000
"""Files below a folder that are counted."""


@dataclass(frozen=True)
class Found:
    """Pictures below a folder, in the order of their paths, each with its class."""

    pictures: list[tuple[str, int]]
    """Path and index of the class."""
    class_names: tuple[str, ...]
    left_out: str
    """In one line; empty where nothing is."""


@dataclass
class _Level:
    """One folder, without what is below it."""

    pictures: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    """Files that are no pictures, hidden ones and folders of systems, by kind."""


def look(folder: Path) -> Found:
    """What is in ``folder``.

    Raises:
        DataError: it cannot be read or holds no pictures; it is not clear what its classes are, or one would
            be lost.
    """
    root = _level(folder)
    levels = {name: _level(folder / name) for name in root.folders}
    classes = {name: level for name, level in levels.items() if level.pictures}
    if root.pictures and classes:
        raise DataError(
            f"{printable(folder)}: has pictures beside its sub-folders ({printable(root.pictures[0])} and "
            f"{printable(next(iter(classes)))}/): each sub-folder is a class; move them into one, or away"
        )
    without = {name: _below(folder / name) for name in levels if name not in classes}
    if not root.pictures and not classes:
        raise DataError(_nothing(folder, root, without))
    for name, below in without.items():
        if classes and (lost := _lost(below, levels[name].folders)):
            raise DataError(
                f"{printable(folder / name)}: holds no picture that is read, but {lost}: this class would be "
                "missing; move its pictures into it, convert others to JPEG or PNG, or move the folder away"
            )
    for name in classes:
        if not name.isprintable():
            raise DataError(f"{printable(folder / name)}: cannot be the name of a class; rename it")
    within = {
        f"{name}/{below}": _below(folder / name / below)
        for name in classes
        for below in classes[name].folders
    }
    others = sum((level.others for level in levels.values()), root.others)
    pictures = [(name, 0) for name in root.pictures]
    for label, (name, level) in enumerate(classes.items()):
        pictures += [(f"{name}/{picture}", label) for picture in level.pictures]
    return Found(pictures, tuple(classes), _told(others, without | within))


def _level(folder: Path) -> _Level:
    """Its entries, each kind in the order of their names."""
    level = _Level()
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"{printable(folder)}: {reason}; data.path names a folder of pictures, "
            "absolute, or below --data-dir, or beside the job file"
        ) from error
    for entry in found:
        if (kind := _kind(entry.name, _is_folder(entry))) == "":
            (level.folders if _is_folder(entry) else level.pictures).append(entry.name)
        else:
            level.others[kind] += 1
    return level


def _kind(name: str, is_folder: bool) -> str:
    """Of what is left out; empty for a picture, or for a folder that may hold some."""
    if name.startswith("."):
        return "hidden"
    if is_folder:
        return f"{name}/" if name.lower() in JUNK else ""
    extension = Path(name).suffix.lower()
    if name.lower() in ("thumbs.db", "desktop.ini"):
        return name
    return "" if extension in _pictures.EXTENSIONS else extension or "without an extension"


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _below(folder: Path) -> Counter[str]:
    """Files in and below a folder by kind, pictures as ``""``; links to folders are not followed."""

    def files() -> Iterator[str]:
        for _, folders, names in os.walk(folder):
            folders[:] = [name for name in folders if _kind(name, is_folder=True) == ""]
            yield from names

    return Counter(_kind(name, is_folder=False) for name in itertools.islice(files(), LOOKED_AT))


def _lost(below: Counter[str], folders: list[str]) -> str:
    """The pictures among them, as text."""
    counts = {f"in {_some([f'{name}/' for name in folders])}": below[""]}
    counts |= {kind: below[kind] for kind in sorted(below) if kind in CONVERTIBLE}
    return ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count)


def _nothing(folder: Path, root: _Level, without: Mapping[str, Counter[str]]) -> str:
    deeper = [f"{name}/" for name, below in without.items() if below[""]]
    others = sum(without.values(), root.others)
    del others[""]
    hint = f"; those below {_some(deeper)} lie too deep: name a folder of classes" if deeper else ""
    kinds = f"; found {_counted(others)}" if others else ""
    return (
        f"{printable(folder)}: holds no pictures ({' '.join(sorted(_pictures.EXTENSIONS))}), neither itself "
        f"nor in its sub-folders{hint}{kinds}"
    )


def _told(others: Counter[str], folders: Mapping[str, Counter[str]]) -> str:
    parts = [_counted(others)] if others else []
    if folders:
        counts = {name: f" (pictures: {below['']:,})" if below[""] else "" for name, below in folders.items()}
        named = [f"{name}/{count}" for name, count in counts.items()]
        parts.append(f"folders {_some(named)}")
    return f"left out {', '.join(parts)}" if parts else ""


def _counted(others: Counter[str]) -> str:
    """``3 .heic (convert them to JPEG or PNG), 1 .txt``: convertible ones first."""
    kinds = sorted(others, key=lambda kind: (kind not in CONVERTIBLE, -others[kind], kind))
    return _some([f"{others[kind]:,} {kind}{_hint(kind)}" for kind in kinds])


def _hint(kind: str) -> str:
    if kind in PHONES:
        return f" (convert them: magick mogrify -format jpg *{kind}; or macOS: sips -s format jpeg)"
    return " (convert them to JPEG or PNG)" * (kind in CONVERTIBLE)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(printable(name) for name in names[:SHOWN]) + more
