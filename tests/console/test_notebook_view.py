"""A job's progress in a notebook, and what ``run`` shows where nobody listens."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import gandist
from gandist.artifacts.trial_state import TrialState
from gandist.console.notebook import Output, kernel
from gandist.console.notebook_view import EVERY_S, NotebookView
from gandist.console.progress import Board
from gandist.runner.events import Notice, Started
from tests.console.notebook import notebook
from tests.console.test_progress import Clock, running
from tests.runner import fakes
from tests.test_api import JOB


def test_it_is_one_output_replaced_now_and_then_and_at_the_end() -> None:
    now = Clock()
    board = Board({"a": TrialState(), "b": TrialState()}, now)
    with notebook() as shown:
        with NotebookView(board, now) as view:
            view(Started("a"))
            assert shown == []
            now.time += EVERY_S
            view(running(100))
            view(running(150))
            assert [how for how, _ in shown] == ["shown"]
        assert [how for how, _ in shown] == ["shown", "replaced"]
    first, last = (bundle["text/plain"] for _, bundle in shown)
    assert "100/400" in first
    assert "150/400" in last
    assert last.splitlines()[0].split()[:3] == ["trial", "status", "step"]


def test_a_strangers_names_are_text() -> None:
    now = Clock()
    with notebook() as shown, NotebookView(Board({"<script>": TrialState()}, now), now):
        pass
    html = shown[0][1]["text/html"]
    assert "&lt;script&gt;" in html
    assert "<script" not in html
    assert html.startswith("<pre ")


def test_notices_stay_as_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with notebook(), NotebookView(Board({})) as view:
        view(Notice("rung 1: none is pruned"))
    assert capsys.readouterr().out == "rung 1: none is pruned\n"


def test_elsewhere_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert kernel() is None
    Output().show_html("<pre></pre>", "")  # and asks for no IPython


@pytest.mark.parametrize("in_notebook", [False, True])
def test_a_run_without_on_event_is_shown_as_by_the_command_line(
    in_notebook: bool,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "gandist.training.trial", fakes)
    if in_notebook:
        with notebook() as shown:
            gandist.run(JOB, tmp_path, local=True)
        assert shown[-1][1]["text/plain"].count("completed") == 3  # two trials, and the whole
    else:
        gandist.run(JOB, tmp_path, local=True)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("small: 1 configuration x 2 seeds = 2 trials")
    assert any(line.startswith("base-seed0") for line in lines) != in_notebook
    assert lines[-1] == "2 completed"
    gandist.run(JOB, tmp_path, local=True, on_event=lambda _: None)
    assert capsys.readouterr().out == ""
