"""The notebooks of examples/ run, and are stored with what running them has shown."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[1] / "examples"
NOTEBOOKS = sorted(path.name for path in EXAMPLES.glob("*.ipynb"))
FIRST, SECOND = "a_first_gan.ipynb", "comparing_two_losses.ipynb"
SHORT = {
    # After other calls of TensorFlow, as in a notebook that somebody has been working in.
    FIRST: "import tensorflow as tf; tf.ones(2) + 1; EPOCHS = 1",
    SECOND: "KIMG = 0.4; SEEDS = [0]",
}
"""In the place of the cell that is tagged ``parameters``."""
MAX_BYTES = 400_000


def read(name: str) -> Any:
    return nbformat.read(EXAMPLES / name, as_version=4)  # type: ignore[no-untyped-call]


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(notebook: Any, kind: str) -> list[str]:
    """The outputs of a MIME type, and as ``text`` what was printed."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    if kind == "text":
        return [output.text for output in outputs if output.output_type == "stream"]
    return [output.data[kind] for output in outputs if kind in output.get("data", {})]


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """The notebooks with small budgets as one kernel has run them, one after the other, and where."""
    notebooks, folder = {name: read(name) for name in NOTEBOOKS}, tmp_path_factory.mktemp("notebooks")
    for name, notebook in notebooks.items():
        (cell,) = [it for it in notebook.cells if "parameters" in it.metadata.get("tags", [])]
        cell.source = SHORT[name]
    together = copy.copy(notebooks[FIRST])
    together.cells = [cell for notebook in notebooks.values() for cell in notebook.cells]
    where = {"metadata": {"path": str(folder)}}
    NotebookClient(together, timeout=240, kernel_name="python3", resources=where).execute()
    return notebooks, folder


@pytest.mark.parametrize(
    ("name", "files"),
    [
        (FIRST, ["losses.png", "grids/epoch-0001.png", "generator.keras"]),
        (SECOND, ["runs/two_losses/report.html"]),
    ],
)
def test_it_runs_and_shows_as_many_pictures_as_are_stored(
    executed: tuple[dict[str, Any], Path], name: str, files: list[str]
) -> None:
    notebooks, folder = executed
    pictures = len(shown(notebooks[name], "image/png"))
    assert pictures == len(shown(read(name), "image/png")) >= 4
    assert [path for path in files if not (folder / path).is_file()] == []


def test_a_job_is_shown_as_one_table_and_trained_after_other_calls_of_tensorflow(
    executed: tuple[dict[str, Any], Path],
) -> None:
    notebook = executed[0][SECOND]
    (table,) = shown(notebook, "text/html")
    assert table.count("completed") == 3  # two trials, and the whole
    told = "".join(shown(notebook, "text"))
    assert told.count("this process has used TensorFlow before") == 1


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_is_stored_as_it_was_run(name: str) -> None:
    notebook = read(name)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not [
        it for cell in cells for it in cell.outputs if it.output_type == "error" or it.get("name") == "stderr"
    ]
    assert (EXAMPLES / name).stat().st_size < MAX_BYTES
