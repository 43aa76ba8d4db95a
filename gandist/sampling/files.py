"""What images are written as: a grid, a film, an array, or a picture each. Loads no TensorFlow."""

from __future__ import annotations

import io
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from gandist.artifacts import images
from gandist.errors import UsageError

SLIDES, MOVING = 2.0, 1000 / 60
"""Frames a second, of single images and of a path between them."""


@dataclass(frozen=True)
class Format(ABC):
    """One kind of file, or of files.

    Attributes:
        scale: the side of a pixel's square; None for what looks right.
        fps: frames a second of a film; None for a usual pace.
        moving: each image leads to the next.
    """

    scale: int | None = None
    fps: float | None = None
    moving: bool = False

    frames: ClassVar[tuple[float, float] | None] = None
    """The least and the most ``fps``; None for what is no film."""
    pixels: ClassVar[int] = 1
    """The height that images are magnified to about, where no scale was asked for."""

    def check(self) -> None:
        """Whether it can do what was asked for.

        Raises:
            UsageError: it cannot.
        """
        if self.fps is not None and self.frames is None:
            raise UsageError(f"--fps {self.fps:g}: only a .gif or an .mp4 moves; leave it out")
        if self.fps is not None and self.frames and not self.frames[0] <= self.fps <= self.frames[1]:
            least, most = self.frames
            raise UsageError(f"--fps {self.fps:g}: this file moves at {least:g} to {most:g} frames a second")

    def factor(self, count: int, height: int) -> int:
        """The side of a pixel's square for ``count`` images of that height."""
        return self.scale or (1 if count == 1 else images.magnification(height, self.pixels))

    @abstractmethod
    def encode(self, made: np.ndarray) -> Iterator[tuple[str, bytes]]:
        """Files: the name, empty for the one that was named, and the content.

        Args:
            made: images uint8 ``[n, height, width, channels]``, of 1 or 3 channels.
        """

    def raw_bytes(self, count: int, image_shape: tuple[int, int, int]) -> int:
        """About how much memory the pixels take, before compression."""
        height, width, channels = image_shape
        return count * height * width * channels * self.factor(count, height) ** 2

    @property
    def _rate(self) -> float:
        return self.fps or (MOVING if self.moving else SLIDES)

    def _frames(self, made: np.ndarray) -> list[np.ndarray]:
        """Each as uint8 ``[height, width]`` or ``[height, width, 3]``."""
        factor = self.factor(len(made), made.shape[1])
        pictures = made[..., 0] if made.shape[3] == 1 else made
        return [images.magnified(picture, factor) for picture in pictures]


class Grid(Format):
    """A near-square grid as a PNG; of a single image only the image."""

    pixels = images.GRID_PIXELS

    def encode(self, made: np.ndarray) -> Iterator[tuple[str, bytes]]:
        count = len(made)
        grid = images.grid(made, *images.layout(count), self.factor(count, made.shape[1]))
        yield "", images.encode_png(self._frames(made)[0] if count == 1 else grid)


class Each(Format):
    """A PNG for each image, as large as the generator makes it, numbered as ``--between`` has them."""

    def encode(self, made: np.ndarray) -> Iterator[tuple[str, bytes]]:
        for number in range(len(made)):
            (frame,) = self._frames(made[number : number + 1])
            yield f"{number:05d}.png", images.encode_png(frame)

    def raw_bytes(self, count: int, image_shape: tuple[int, int, int]) -> int:
        height, width, channels = image_shape
        return height * width * channels * (count + (self.scale or 1) ** 2)


class Gif(Format):
    """An endless film, whose frames take hundredths of a second."""

    frames = (2.0, 50.0)
    pixels = images.FRAME_PIXELS

    def encode(self, made: np.ndarray) -> Iterator[tuple[str, bytes]]:
        each_s = 1 / self._rate
        yield "", images.encode_gif(self._frames(made), seconds=each_s * len(made), hold_s=each_s)


class Film(Format):
    """An MP4 with H.264, which browsers and phones play."""

    frames = (1.0, 120.0)
    pixels = images.FRAME_PIXELS

    def check(self) -> None:
        super().check()
        try:
            import imageio_ffmpeg  # noqa: F401
        except ImportError as error:
            raise UsageError(
                "--out: an .mp4 needs imageio-ffmpeg, which is not installed; pip install 'gandist[video]'"
            ) from error

    def encode(self, made: np.ndarray) -> Iterator[tuple[str, bytes]]:
        from imageio_ffmpeg import write_frames

        frames = self._frames(made)
        height, width = frames[0].shape[:2]
        even = [(0, height % 2), (0, width % 2), (0, 0)][: frames[0].ndim]  # H.264 halves the colours' size
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "film.mp4")
            writer = write_frames(
                str(path),
                (width + width % 2, height + height % 2),
                pix_fmt_in="gray" if frames[0].ndim == 2 else "rgb24",
                fps=self._rate,
                codec="libx264",
                quality=None,
                macro_block_size=2,
                output_params=["-crf", "16", "-movflags", "+faststart"],
            )
            writer.send(None)
            for frame in frames:
                writer.send(np.ascontiguousarray(np.pad(frame, even, "edge")))
            writer.close()
            yield "", path.read_bytes()


class Array(Format):
    """The pixels as they are: uint8 ``[n, height, width, channels]``."""

    def check(self) -> None:
        super().check()
        if self.scale is not None:
            raise UsageError(f"--scale {self.scale}: an .npy holds the pixels as they are; leave it out")

    def encode(self, made: np.ndarray) -> Iterator[tuple[str, bytes]]:
        buffer = io.BytesIO()
        np.save(buffer, made, allow_pickle=False)
        yield "", buffer.getvalue()


FORMATS: Mapping[str, type[Format]] = {".png": Grid, ".gif": Gif, ".mp4": Film, ".npy": Array}
"""By the end of the name; a directory gets ``Each``."""


@dataclass(frozen=True)
class Target:
    """Where files go: ``directory``, and the ``name`` of the one that was asked for, or empty."""

    directory: str
    name: str
    kind: type[Format]


def target(out: str) -> Target:
    """What ``--out`` asks for.

    Raises:
        UsageError: it ends in nothing that is known, or no file can be made there.
    """
    path = Path(out)
    try:
        is_directory, has_place = path.is_dir(), path.parent.is_dir()
        taken = is_directory and any(path.iterdir())
    except OSError as error:  # a name too long, a directory that may not be looked into
        raise UsageError(f"--out {out}: {error.strerror}") from error
    kind = FORMATS.get(path.suffix.lower())
    each = out.endswith("/") or (is_directory and kind is None)
    if not each and kind is None:
        raise UsageError(f"--out {out}: its name ends in none of {', '.join(FORMATS)}, or / for a PNG each")
    if is_directory and not each:
        raise UsageError(f"--out {out}: a directory; give a file in it, or end it in / for a PNG each")
    if not has_place:
        raise UsageError(f"--out {out}: there is no directory {path.parent}; make it first")
    if each and taken:  # whose names are not chosen, and may be those of somebody's pictures
        raise UsageError(f"--out {out}: holds files already; give a new directory, or an empty one")
    if each and path.exists() and not is_directory:
        raise UsageError(f"--out {out}: a file; give a directory, or leave out the /")
    return Target(str(path), "", Each) if each or kind is None else Target(str(path.parent), path.name, kind)
