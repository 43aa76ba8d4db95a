"""``gandist export``: several at once; what is wrong is told before anything is written."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from tests.conftest import CommandLine
from tests.export.conftest import make_evaluated_job


def test_figures_and_tables_at_once_and_again(command_line: CommandLine, tmp_path: Path) -> None:
    root, out = make_evaluated_job(tmp_path).root, tmp_path / "out"
    for _ in range(2):
        code, told, lines = command_line("export", root, "--figures", str(out), "--csv", str(out))
        assert (code, told) == (0, [])
        assert lines == [
            f"3 figures (answer, cost, frechet): {out}",
            f"losses.csv, metrics.csv, trials.csv: {out}",
        ]
    assert Image.open(out / "frechet.png").width == 1280


def test_nothing_is_written_where_one_of_several_is_refused(
    command_line: CommandLine, tmp_path: Path
) -> None:
    root = make_evaluated_job(tmp_path).root
    tables = tmp_path / "tables"
    tables.mkdir()
    (tables / "losses.csv").write_text("mine")
    code, _, lines = command_line(
        "export", root, "--figures", str(tmp_path / "figures"), "--csv", str(tables)
    )
    assert code == 2
    assert lines == [
        f"--csv {tables}: losses.csv is there and was not exported from this job; give another directory"
    ]
    assert not (tmp_path / "figures").exists()
    assert (tables / "losses.csv").read_text() == "mine"


def test_without_a_way_out_nothing_is_done(command_line: CommandLine, tmp_path: Path) -> None:
    code, _, (line,) = command_line("export", str(tmp_path))
    assert code == 2
    assert line.startswith("nothing to export; give --figures DIR")


def test_the_table_alone_is_printed(command_line: CommandLine, tmp_path: Path) -> None:
    root = make_evaluated_job(tmp_path).root
    code, printed, told = command_line("export", root, "--latex", "--csv", str(tmp_path / "out"))
    assert code == 0
    assert (printed[1], printed[-1]) == (r"\begin{table}", r"\end{table}")
    assert told == [f"losses.csv, metrics.csv, trials.csv: {tmp_path / 'out'}"]
