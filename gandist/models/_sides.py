"""The sides of images, halved until they are those of a network's smallest feature map."""

from __future__ import annotations

from collections.abc import Callable

from gandist.errors import UsageError


def smallest(
    image_shape: tuple[int, int, int], halvings: int, field: str, allowed: Callable[[int], str]
) -> tuple[int, int]:
    """Height and width of the smallest feature map, at least 2.

    Args:
        image_shape: ``(height, width, channels)``.
        halvings: how often sides are halved.
        field: of the job file that says so, for the error.
        allowed: what to give in its place, made of the most halvings that fit.

    Raises:
        UsageError: the sides cannot be halved so often.
    """
    height, width, _ = image_shape
    if halvings <= (fitting := most(image_shape)):
        return height // 2**halvings, width // 2**halvings
    advice = f"give {allowed(fitting)}" if fitting else "give images of even sides, 4 or more"
    raise UsageError(
        f"{field}: images of {height}x{width} cannot be halved {halvings} times "
        f"to whole feature maps of 2x2 or more; {advice}"
    )


def most(image_shape: tuple[int, int, int], side: int = 2) -> int:
    """How often sides can be halved to whole ones of ``side`` or more."""
    halvings = 0
    while all(it % 2 ** (halvings + 1) == 0 and it >> (halvings + 1) >= side for it in image_shape[:2]):
        halvings += 1
    return halvings
