"""Settings of configurations side by side."""

from __future__ import annotations

from gandist.report import read_content, render_sections, text
from gandist.report.settings import compare
from tests.report.conftest import state, write_trial
from tests.report.pages import Page


def test_what_is_off_in_one_configuration_has_its_settings_off_there():
    plain = {"data": "mnist", "regularizers.r1": "off"}
    with_r1 = {"data": "mnist", "regularizers.r1.gamma": "0.1", "regularizers.r1.every": "1"}

    found = compare({"plain": plain, "r1": with_r1})

    assert found.shared == {"data": "mnist"}
    assert found.differing == {
        "regularizers.r1.gamma": {"plain": "off", "r1": "0.1"},
        "regularizers.r1.every": {"plain": "off", "r1": "1"},
    }


def test_settings_of_another_variant_are_not_there():
    found = compare({"a": {"model.name": "mlp"}, "b": {"model.name": "dcgan", "model.depth": "2"}})

    assert found.differing["model.depth"] == {"a": text.NOTHING, "b": "2"}


def test_a_configuration_without_settings_says_nothing():
    found = compare({"a": {}, "b": {"x": "1"}})

    assert (found.differing, found.shared) == ({}, {"x": "1"})


def test_few_configurations_are_columns_and_many_are_rows(empty_job):
    for count in (2, 7):
        rates = {f"c{i}": 0.1 * i for i in range(count)}
        job_dir = empty_job(*((config, 0) for config in rates))
        for config, rate in rates.items():
            optimizer = {"learning_rate": rate}
            trial = job_dir.trial(f"{config}-seed0")
            write_trial(trial, config, 0, steps=20, state=state(20), optimizer=optimizer)

        [settings] = render_sections(read_content(job_dir), {"settings"})
        shown = Page(settings["body"]).text

        few = "Setting c0 c1 optimizer.learning_rate 0 0.1"
        assert (few if count == 2 else "Configuration optimizer.learning_rate c0 0 c1 0.1") in shown
