"""The table of statuses, and the states that earlier versions wrote."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from gandist.artifacts.job_dir import JobDir
from gandist.artifacts.statuses import FORMER, MEANINGS, Counts, Tone
from gandist.artifacts.trial_state import TrialState

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", MEANINGS)
def test_a_state_can_have_each_status_that_is_stored_and_no_other(name: str) -> None:
    if MEANINGS[name].stored:
        assert TrialState.model_validate({"status": name}).meaning is MEANINGS[name]
    else:
        with pytest.raises(ValidationError, match="status"):
            TrialState.model_validate({"status": name})


def test_what_each_status_counts_as() -> None:
    found = {counts: [it.name for it in MEANINGS.values() if it.counts is counts] for counts in Counts}
    assert found == {
        Counts.SUCCESS: ["completed"],
        Counts.OUTCOME: ["diverged", "unstable", "mode_collapse", "discriminator_won"],
        Counts.FAILURE: ["failed", "unreadable"],
        Counts.PRUNED: ["pruned"],
        Counts.UNFINISHED: ["running", "queued", "paused", "stopped", "starting", "requeued", "interrupted"],
    }
    assert all(it.final is (it.counts is not Counts.UNFINISHED) for it in MEANINGS.values())


def test_each_outcome_has_a_mark_of_its_own_in_plots() -> None:
    outcomes = [it for it in MEANINGS.values() if it.is_outcome]
    assert len({it.mark for it in outcomes}) == len(outcomes)
    assert all(it.mark and it.because for it in outcomes)


def test_the_page_has_a_style_for_each_tone() -> None:
    styles = re.findall(r"^\.tone-(\w+) ", (ROOT / "gandist/report/style.css").read_text(), re.MULTILINE)
    assert sorted(styles) == sorted(tone.value for tone in Tone)


def test_the_documentation_lists_what_is_stored() -> None:
    page = (ROOT / "docs" / "job_directory.md").read_text()
    line = re.search(r"state\.json +([^,]*), with the reason", page)
    assert line is not None
    assert {name.strip() for name in line[1].split(" |")} == {
        it.name for it in MEANINGS.values() if it.stored
    }


@pytest.mark.parametrize(("former", "today"), FORMER.items())
def test_a_former_name_is_read_as_todays_and_written_as_such(tmp_path: Path, former: str, today: str) -> None:
    trial = JobDir(str(tmp_path)).trial("base-seed0")
    trial.storage.write("state.json", f'{{"status": "{former}", "step": 4}}'.encode())
    assert (trial.read_state().status, trial.read_state().step) == (today, 4)
    assert trial.read_state().finished
    trial.write_state(trial.read_state())
    assert f'"{today}"'.encode() in trial.storage.read("state.json")
