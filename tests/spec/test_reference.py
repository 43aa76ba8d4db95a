"""The page of a job file's fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from gandist.spec.loading import json_schema
from gandist.spec.reference import reference

PAGE = Path(__file__).parents[2] / "docs" / "job_file.md"
SCHEMA = json_schema()


def test_the_page_in_the_documentation_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(SCHEMA) + "\n", (
        "gandist schema --markdown > docs/job_file.md"
    )


@pytest.mark.parametrize("section", SCHEMA["$defs"])
def test_every_field_says_what_it_is(section: str) -> None:
    definition = SCHEMA["$defs"][section]
    fields = {name: field for name, field in definition["properties"].items() if "const" not in field}
    assert [name for name, field in fields.items() if not field.get("description")] == []
    assert "section of a job file" not in definition["description"]


@pytest.mark.parametrize(
    "row",
    [
        "| `seeds` | list or text or integer | `[0]` | a list, a range (0..7), or one seed |",
        "| `path` | text |  | the folder:",  # required: no default
        "| `learning_rate` | rate, above 0 | `0.0001` | of both networks |",
        "| `gpus` | number, at least 0 | none |",
        "| `channels` | `1`, `3` | `3` | 1: grey, 3: colour |",
        "| `mode_collapse` | section | as below |",
        "| `generator_widths` | list of: integer, at least 1, at most 65536 | `[256, 512, 1024]` |",
        "| `range` | 2 of: number | `[-1.0, 1.0]` |",
        "### `model: {name: dcgan}`",
        "#### `regularizers.r1`",
        "#### `evaluation.features: {name: inception}`",
    ],
)
def test_a_field_has_its_values_its_default_and_its_meaning(row: str) -> None:
    assert f"\n{row}" in reference(SCHEMA)


def test_what_all_variants_take_stands_once() -> None:
    data = reference(SCHEMA).partition("## `data`")[2].partition("\n## ")[0]
    assert data.count("`batch_size`") == 1
