"""What is shown of a job while it runs."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from gandist.artifacts.trial_state import TrialState
from gandist.console.estimate import Estimate
from gandist.console.progress import Board, Row, clock, loss, rate, recorded
from gandist.console.views import LiveView, PlainView, bar, choose, shortened, style, table, view
from gandist.runner.events import Alive, Finished, JobEvent, Notice, Progress, Requeued, Started


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def running(step: int, **fields: float | str) -> Progress:
    return Progress(
        "a", TrialState.model_validate({"status": "running", "step": step, "total_steps": 400} | fields)
    )


def test_the_rest_is_estimated_from_the_pace_of_this_attempt() -> None:
    now = Clock()
    board = Board({"a": TrialState(step=100, total_steps=400)}, now)
    etas = []
    for event, seconds in ((Started("a"), 50), (running(100), 10), (running(150), 5), (running(200), 0)):
        row = board.update(event)
        etas.append(row and row.eta_s)
        now.time += seconds
    assert etas == [None, None, 50.0, 30.0]


def test_an_attempt_after_a_loss_has_a_pace_of_its_own() -> None:
    now = Clock()
    board = Board({"a": TrialState()}, now)
    board.update(running(1))
    now.time += 1000
    lost = board.update(Requeued("a", "its worker process has died", 1, 2.0))
    assert lost is not None
    assert lost.line == "a  requeued   step 1/400  lost (1): its worker process has died; again in 2 s"
    board.update(Started("a"))
    again = board.update(running(1))
    assert again is not None
    assert again.eta_s is None


def test_nothing_runs_that_the_schedule_has_not_started() -> None:
    board = Board({"a": TrialState(status="running", images_per_s=9.0), "b": TrialState(status="diverged")})
    assert [row.status for row in board.rows()] == ["queued", "diverged"]
    assert str(board.summary()) == "2 trials: 1 queued, 1 diverged"


def test_the_summary_adds_up_what_runs() -> None:
    board = Board({"a": TrialState(), "b": TrialState(status="completed", images_per_s=9e9)})
    board.update(running(3, images_per_s=3100.0))
    assert board.summary().trials == "2 trials: 1 running, 1 completed; 3.1k images/s"


def test_the_job_as_a_whole_has_a_share_and_an_end() -> None:
    now = Clock()
    board = Board({"a": TrialState(), "b": TrialState(), "c": TrialState()}, now, steps={"c": 200})
    assert str(board.summary()) == "3 trials: 3 queued; 0% done"
    board.update(Started("a"))
    board.update(running(0))
    now.time += 10
    board.update(running(100))  # of 400: 0.1 s a step
    assert str(board.summary()) == "3 trials: 1 running, 2 queued; 11% done, ETA 1:20"  # b as the mean: 300
    board.update(running(100, activity="generating images"))
    assert "ETA 1:20" in str(board.summary())
    now.time += 30
    board.update(Finished("a", TrialState(status="completed", step=400, total_steps=400)))
    assert str(board.summary()) == "3 trials: 1 completed, 2 queued; 44% done"
    board.update(Started("b"))
    assert str(board.summary()).endswith("; 44% done, ETA 0:50")
    for trial in ("b", "c"):
        board.update(Finished(trial, TrialState(status="diverged", step=1, total_steps=400)))
    assert str(board.summary()) == "3 trials: 1 completed, 2 diverged"


def test_a_trial_that_goes_on_for_longer_is_not_done() -> None:
    board = Board({"a": TrialState(status="completed", step=400, total_steps=400)}, Clock(), {"a": 800})
    board.update(Started("a"))
    assert board.summary().whole == Estimate(0.5)


def test_what_lies_in_storage_has_a_share_and_an_end() -> None:
    states = {
        "a": TrialState(status="running", step=50, total_steps=100, train_s=10.0, seconds={"training": 20.0}),
        "b": TrialState(status="queued"),
    }
    assert str(recorded(states, 1.0)[1]) == "2 trials: 1 running, 1 queued; 25% done, ETA 1:00"
    started = TrialState(
        status="running", step=1, total_steps=100, seconds={"compiling": 60.0, "training": 0.5}
    )
    assert str(recorded({"a": started}, 1.0)[1]) == "1 trial: 1 running; 1% done, ETA 0:50"
    assert str(recorded(states, 1.0, driven=False)[1]) == "2 trials: 1 interrupted, 1 queued; 25% done"


def test_what_lies_in_storage_says_how_old_it_is() -> None:
    rows, _ = recorded({"a": TrialState(status="running", step=1, total_steps=2, updated_at=1000.0)}, 1075.0)
    assert rows[0].line == "a  running    step 1/2  written 1:15 ago"


def test_a_line_has_all_that_is_known() -> None:
    state = running(120, images_per_s=3100.0, d_loss=0.714, g_loss=0.829).state
    assert Row("base-seed0", "running", state, 14.2).line == (
        "base-seed0  running    step 120/400  3.1k images/s  d_loss 0.71  g_loss 0.83  ETA 0:14"
    )
    assert Row("base-seed0", "queued", TrialState()).line == "base-seed0  queued"


def test_plain_lines_come_at_changes_and_now_and_then() -> None:
    now, lines = Clock(), []
    show = PlainView(Board({"a": TrialState()}, now), lines.append, now)
    timeline: list[tuple[float, JobEvent]] = [
        (0, Notice("on [this] machine")),
        (0, Started("a")),
        (0, running(1)),
        (4, running(2)),
        (2, running(3)),
        (1, running(4)),
        (0, Finished("a", TrialState(status="completed", step=400, total_steps=400))),
    ]
    for seconds, event in timeline:
        now.time += seconds
        show(event)
    assert [" ".join(line.split()[:4]) for line in lines] == [
        "on [this] machine",
        "a starting",
        "a running step 1/400",
        "a running step 3/400",
        "a completed step 400/400",
    ]


def test_of_several_trials_a_plain_line_now_and_then_tells_of_the_whole() -> None:
    now, lines = Clock(), []
    show = PlainView(Board({"a": TrialState(), "b": TrialState()}, now), lines.append, now)
    for step in (0, 100, 200, 300):
        now.time += 15
        show(running(step))
    told = [line for line in lines if line.startswith("2 trials")]
    assert told == [
        f"2 trials: 1 running, 1 queued; {done}" for done in ("12% done, ETA 1:45", "37% done, ETA 1:15")
    ]


SWEEP = ("lr=2e-3,gamma=0.1-seed0", "lr=2e-3,gamma=0.1-seed1")


def drawn(width: int) -> list[str]:
    """The lines of a terminal of so many columns, where one trial runs and one starts."""
    console = Console(
        file=(out := io.StringIO()), force_terminal=True, width=width, height=30, color_system=None
    )
    now = Clock()
    show = LiveView(board := Board({name: TrialState() for name in SWEEP}, now), console)
    for step in (1, 1492):
        state = running(step, total_steps=1680, images_per_s=886.0, d_loss=1.32, g_loss=0.85).state
        show(Progress(SWEEP[0], state))
        now.time += 30
    show(Alive(SWEEP[1], "loading TensorFlow"))
    console.print(table(board.rows(), width))
    return [line.rstrip() for line in out.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("width", "heading", "row"),
    [
        (
            110,
            "trial status step images/s d_loss g_loss",
            f"{SWEEP[0]} running 1,492/1,680 886 1.32 0.85 ETA 0:04",
        ),
        (86, "trial status step d_loss g_loss", f"{SWEEP[0]} running 1,492/1,680 1.32 0.85 ETA 0:04"),
        (60, "trial status step", f"{SWEEP[0]} running 1,492/1,680 ETA 0:04"),
        (56, "trial status step", "lr=2e-3,g…0.1-seed0 running 1,492/1,680 ETA 0:04"),
        (40, "trial status step", "lr=2e-3…-seed0 running 88% ETA 0:04"),
        (30, "trial status step", "lr=2e-3…-seed0 running 88%"),
        (10, "trial status step", ""),
    ],
)
def test_where_there_is_no_room_the_names_are_given_up_last(width: int, heading: str, row: str) -> None:
    lines = drawn(width)
    assert all(cell_len(line) <= width for line in lines)
    if row:
        assert [" ".join(line.split()) for line in lines[:2]] == [heading, row]


@pytest.mark.parametrize(
    ("width", "name"),
    [(30, "lr=2e-3-seed0"), (13, "lr=2e-3-seed0"), (12, "lr=2e-…seed0"), (2, "l…"), (1, "…")],
)
def test_a_name_is_shortened_in_its_middle(width: int, name: str) -> None:
    assert shortened("lr=2e-3-seed0", width) == name


def test_a_name_of_wide_characters_is_measured_as_they_are_drawn() -> None:
    assert shortened("学習率-seed0", 9) == "学習率…d0"


@pytest.mark.parametrize("width", [30, 40, 60, 200])
def test_the_bar_of_the_whole_fits(width: int) -> None:
    console = Console(file=(out := io.StringIO()), force_terminal=True, width=width, color_system=None)
    console.print(bar(Estimate(0.5, 102.0), width))
    (line,) = out.getvalue().splitlines()
    assert line.rstrip().endswith("50% done, ETA 1:42")
    filled = line.count("━")
    assert 2 <= filled <= 30


def test_a_table_in_a_terminal_shows_trials_and_summary() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100, height=30, color_system=None)
    show = view(Board({"a": TrialState(), "[b]": TrialState()}), console)
    assert isinstance(show, LiveView)
    with show:
        show(Notice("on [this] machine"))
        show(running(7, d_loss=0.5))
    drawn = out.getvalue()
    for text in ("on [this] machine", "[b]", "7/400", "0.50", "2 trials: 1 running, 1 queued", "0% done"):
        assert text in drawn


def test_without_a_terminal_there_are_lines() -> None:
    assert isinstance(view(Board({}), Console(file=io.StringIO())), PlainView)


def test_running_trials_are_shown_first_where_there_is_no_room() -> None:
    rows = [Row(str(i), "running" if i in (5, 7) else "queued", TrialState()) for i in range(9)]
    assert [row.trial for row in choose(rows, 3)] == ["0", "5", "7"]
    assert choose(rows, 9) == rows


@pytest.mark.parametrize(
    ("status", "colour"),
    [
        ("running", "cyan"),
        ("completed", "green"),
        ("failed", "red"),
        ("interrupted", "red"),
        ("diverged", "yellow"),
        ("unstable", "yellow"),
        ("queued", None),
        ("stopped", None),
    ],
)
def test_a_status_has_its_colour(status: str, colour: str | None) -> None:
    assert style(status) == colour


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (rate(0.5), "0.5"),
        (rate(3100.0), "3.1k"),
        (rate(2.5e6), "2.5M"),
        (clock(14), "0:14"),
        (clock(59.7), "1:00"),
        (clock(7380), "2:03:00"),
        (loss(None), ""),
        (loss(float("nan")), ""),
        (loss(0.456), "0.46"),
    ],
)
def test_numbers(given: str, text: str) -> None:
    assert given == text


def test_what_a_trial_does_besides_training_is_shown_and_does_not_spoil_its_pace() -> None:
    now = Clock()
    board = Board({"a": TrialState(step=100, total_steps=400)}, now)
    lines = []
    for event, seconds in (
        (Started("a"), 50),
        (Alive("a", "loading TensorFlow"), 50),
        (running(100, activity="decoding pictures 1,200/5,000, 0:42 left"), 60),
        (running(100), 10),
        (running(150, activity="generating images 256/10,000"), 10),
        (running(150), 0),
    ):
        row = board.update(event)
        lines.append(row and row.line)
        now.time += seconds
    assert lines == [
        "a  starting   step 100/400",
        "a  starting   step 100/400  loading TensorFlow",
        "a  running    step 100/400  decoding pictures 1,200/5,000, 0:42 left",
        "a  running    step 100/400",
        "a  running    step 150/400  generating images 256/10,000",
        "a  running    step 150/400  ETA 1:40",
    ]


def test_what_lies_in_storage_says_what_a_trial_was_doing() -> None:
    state = TrialState(status="running", activity="decoding pictures 1/9", updated_at=1000.0)
    rows, _ = recorded({"a": state}, 1075.0)
    assert rows[0].line == "a  running    decoding pictures 1/9; written 1:15 ago"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (900.0, "written 1:40 ago"),
        (1000.0, "written 0:00 ago"),
        (1030.0, "written 0:00 ago"),
        (4600.0, "written by a clock that is 1:00:00 ahead"),
    ],
)
def test_an_age_is_never_absurd(written: float, said: str) -> None:
    (row,), _ = recorded({"a": TrialState(status="running", updated_at=written)}, now=1000.0)
    assert row.reason == said


def test_without_a_driver_nothing_runs() -> None:
    states = {
        "a": TrialState(status="running", updated_at=1.0, activity="decoding pictures", images_per_s=5.0),
        "b": TrialState(status="completed"),
    }
    (row, other), summary = recorded(states, now=2.0, driven=False)
    assert (row.status, row.reason, other.status) == ("interrupted", "written 0:01 ago", "completed")
    assert str(summary) == "2 trials: 1 interrupted, 1 completed"
