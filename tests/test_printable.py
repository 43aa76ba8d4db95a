from __future__ import annotations

from pathlib import Path

import pytest

from gandist.printable import one_line, printable


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain, auch ü and 猫", "plain, auch ü and 猫"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("two\nlines\tand a tab", r"two\nlines\tand a tab"),
        ("right \u202eot left", r"right \u202eot left"),
        ("bytes \udcff", r"bytes \udcff"),
        (Path("a/\u2028b"), r"a/\u2028b"),
        (None, "None"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(given: object, shown: str) -> None:
    assert printable(given) == shown


def test_what_is_longer_than_the_limit_ends_in_an_ellipsis_within_it() -> None:
    assert printable("12345", 5) == "12345"
    assert printable("123456", 5) == "1234…"
    assert printable("\x1b" * 1000, 8) == r"\x1b\x1…"


def test_characters_that_are_kept_stay_as_they_are() -> None:
    assert printable("a\n\tb\r", keep="\n\t") == "a\n\tb\\r"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("\n  \n  the first that says something \x1b[2J\nmore", r"the first that says something \x1b[2J"),
        (ValueError("what\nand where"), "what"),
        (TimeoutError(), "TimeoutError"),
        (ValueError(" \n"), "ValueError"),
        (" \n", ""),
    ],
)
def test_one_line_is_the_first_that_says_something(given: object, shown: str) -> None:
    assert one_line(given) == shown


def test_one_line_is_of_bounded_length() -> None:
    assert len(one_line("x" * 1000)) == 300
    assert one_line("12345", 4) == "123…"
