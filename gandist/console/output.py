"""What is printed, where nobody reads it any more: a closed pipe, a terminal that is gone."""

from __future__ import annotations

import errno
import io
import signal
import sys
from typing import Any, TextIO

from gandist.runner.interrupts import output_closed

CLOSED = {errno.EPIPE: signal.SIGPIPE, errno.EIO: signal.SIGHUP}
"""What the kernel says of a pipe without a reader, and of a terminal that has hung up; and their signals."""


class _Descriptor(io.FileIO):
    """Takes what is written; once that goes nowhere it says so, and swallows the rest."""

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in CLOSED:
                raise
            output_closed(CLOSED[error.errno])
            return len(data)


def watch() -> None:
    """Make a closed stdout or stderr a signal like others, instead of an error in the middle of anything."""
    sys.stdout = _watched(sys.stdout, 1)
    sys.stderr = _watched(sys.stderr, 2)


def _watched(stream: TextIO, descriptor: int) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper) or stream.fileno() != descriptor:
        return stream  # closed from the beginning, or another's: a test's, a notebook's
    stream.flush()
    raw: Any = _Descriptor(descriptor, "wb", closefd=False)
    return io.TextIOWrapper(
        raw if stream.write_through else io.BufferedWriter(raw),  # as Python itself does
        encoding=stream.encoding,
        errors="backslashreplace",  # no text is worth an error, whatever the locale can show
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
