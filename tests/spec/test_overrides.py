"""Merging of plain values."""

from __future__ import annotations

from typing import Any

import pytest

from gandist.spec.overrides import apply, configurations, leaves, nearest


def merged(values: dict[str, Any], *changes: tuple[str, Any]) -> dict[str, Any]:
    apply(values, changes)
    return values


def test_a_dotted_path_sets_a_leaf_and_keeps_its_siblings() -> None:
    assert merged({"a": {"b": 1, "c": 2}}, ("a.b", 3)) == {"a": {"b": 3, "c": 2}}


def test_missing_and_null_sections_are_made() -> None:
    assert merged({"a": None}, ("a.b", 1), ("c.d.e", 2)) == {"a": {"b": 1}, "c": {"d": {"e": 2}}}


def test_a_mapping_merges_and_its_keys_may_be_dotted() -> None:
    assert merged({"a": {"b": {"c": 1, "d": 2}}}, ("a", {"b.c": 3})) == {"a": {"b": {"c": 3, "d": 2}}}


def test_a_list_replaces() -> None:
    assert merged({"a": [1, 2, 3]}, ("a", [4])) == {"a": [4]}


def test_the_later_of_two_changes_wins() -> None:
    assert merged({}, ("a.b", 1), ("a", {"b": 2})) == {"a": {"b": 2}}


def test_an_empty_mapping_makes_a_section_but_empties_none() -> None:
    assert merged({"a": {"b": 1}, "c": None}, ("a", {}), ("c", {})) == {"a": {"b": 1}, "c": {}}


def test_new_keys_come_in_the_order_of_the_changes() -> None:
    changes = {
        "a": {},
        "b": {"x.y": 1, "loss.name": "hinge"},
        "c": {},
        "d": {"name": "e"},
        "e": 1,
        "f": {"x": 1},
    }
    assert list(merged({}, ("configs", changes))["configs"]) == list(changes)
    assert list(merged({"z": 0}, ("y", {}), ("x.name", "a"), ("w", 1))) == ["z", "y", "x", "w"]


def test_a_value_is_copied() -> None:
    value = [1]
    values = merged({}, ("a", value))
    value.append(2)
    assert values == {"a": [1]}


@pytest.mark.parametrize(
    "changes",
    [
        [("loss.name", "hinge"), ("loss.margin", 2)],
        [("loss.margin", 2), ("loss.name", "hinge")],
        [("loss.margin", 2), ("loss", {"name": "hinge"})],
        [("loss", {"margin": 2, "name": "hinge"})],
    ],
)
def test_another_name_starts_the_section_afresh_in_whatever_order(changes: list[tuple[str, Any]]) -> None:
    values = {"loss": {"name": "non_saturating", "real_label": 0.9}}
    assert merged(values, *changes) == {"loss": {"name": "hinge", "margin": 2}}


def test_the_same_name_keeps_the_section() -> None:
    values = {"loss": {"name": "hinge", "margin": 2}}
    assert merged(values, ("loss.name", "hinge")) == {"loss": {"name": "hinge", "margin": 2}}


def test_naming_a_nameless_section_keeps_it() -> None:
    assert merged({"loss": {"margin": 2}}, ("loss.name", "hinge")) == {"loss": {"name": "hinge", "margin": 2}}


def test_the_job_s_own_name_is_no_variant() -> None:
    assert merged({"name": "a", "seeds": [0]}, ("name", "b")) == {"name": "b", "seeds": [0]}


@pytest.mark.parametrize("budget", ["epochs", "steps", "kimg"])
def test_a_budget_replaces_the_others(budget: str) -> None:
    training = {"epochs": 1, "steps": None, "kimg": 2, "n_critic": 1}
    assert merged({"training": training}, (f"training.{budget}", 9)) == {
        "training": {budget: 9, "n_critic": 1}
    }


def test_a_cadence_replaces_the_other() -> None:
    values = {"samples": {"every_epochs": 1, "rows": 4}}
    assert merged(values, ("samples", {"every_steps": 5})) == {"samples": {"every_steps": 5, "rows": 4}}


@pytest.mark.parametrize("cadence", ["every_epochs", "every_steps", "every_kimg", "every_minutes"])
def test_a_cadence_of_checkpoints_replaces_the_others(cadence: str) -> None:
    checkpoint = {"every_epochs": 1, "every_steps": 2, "every_kimg": 1, "every_minutes": 3, "keep": 4}
    assert merged({"checkpoint": checkpoint}, (f"checkpoint.{cadence}", 9)) == {
        "checkpoint": {cadence: 9, "keep": 4}
    }


def test_two_budgets_in_the_same_changes_stay() -> None:
    changes = ("training.steps", 5), ("training.kimg", 6)
    assert merged({"training": {"epochs": 1}}, *changes) == {"training": {"steps": 5, "kimg": 6}}


def test_removing_a_budget_keeps_the_others() -> None:
    values = {"training": {"epochs": 1}}
    assert merged(values, ("training.steps", None)) == {"training": {"epochs": 1, "steps": None}}


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b"])
def test_a_path_without_a_part_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="not a dotted path"):
        apply({}, [(path, 1)])


def test_a_path_through_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a\.b\.c: b is a value, not a section"):
        apply({"a": {"b": 1}}, [("a.b.c", 1)])


def test_a_schedule_replaces_a_number_and_the_other_shape_and_unit() -> None:
    assert merged({"a": {"b": 1e-3}}, ("a.b", {"linear": [1, 2], "steps": 3})) == {
        "a": {"b": {"linear": [1, 2], "steps": 3}}
    }
    assert merged({"a": {"b": 1}}, ("a", {"b": {"kimg": 5, "cosine": [1, 2]}})) == {
        "a": {"b": {"kimg": 5, "cosine": [1, 2]}}
    }
    before = {"linear": [3, 4], "steps": 5, "cosine": None, "kimg": None}
    assert merged({"a": {"b": before}}, ("a.b", {"cosine": [1, 2], "kimg": 3})) == {
        "a": {"b": {"cosine": [1, 2], "kimg": 3}}
    }
    assert merged({"a": {"b": {"linear": [3, 4], "steps": 5}}}, ("a.b", 1e-3)) == {"a": {"b": 1e-3}}


@pytest.mark.parametrize("value", [True, "1", [1]])
def test_nothing_but_a_number_gives_way_to_a_schedule(value: Any) -> None:
    with pytest.raises(ValueError, match=r"a\.b\.steps: b is a value, not a section"):
        apply({"a": {"b": value}}, [("a.b.steps", 1)])


def test_leaves() -> None:
    assert list(leaves({"a": {"b": 1, "c.d": [2]}, "e": {}})) == [("a.b", 1), ("a.c.d", [2]), ("e", {})]


def test_nearest() -> None:
    assert nearest("modle", ["data", "model"]) == " (did you mean model?)"
    assert nearest("xyz", ["data", "model"]) == ""


BASE = {"a": {"x": 1, "y": 2}, "b": {"x": 3}, "resources": {"cpus": 1}}


def test_without_overrides_there_is_the_base() -> None:
    (only,) = configurations(BASE, {}, {})
    assert (only.name, only.sections, only.where("a.x")) == ("base", BASE, "a.x")


def test_configs_times_grid_in_the_order_of_the_file() -> None:
    made = configurations(BASE, {"big": {"a.x": 9}, "plain": {}}, {"b.x": [0.5, 1e-4]})
    assert [config.name for config in made] == ["big,x=0.5", "big,x=0.0001", "plain,x=0.5", "plain,x=0.0001"]
    assert [config.sections["a"]["x"] for config in made] == [9, 9, 1, 1]
    assert [config.sections["b"]["x"] for config in made] == [0.5, 1e-4, 0.5, 1e-4]
    assert BASE["b"] == {"x": 3}


def test_a_label_is_the_whole_path_where_two_end_alike() -> None:
    (only,) = configurations(BASE, {}, {"a.x": [1], "b.x": [2], "a.y": [3]})
    assert only.name == "a.x=1,b.x=2,y=3"


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (True, "true"),
        (None, "null"),
        (-1.5, "-1.5"),
        (1e20, "1e+20"),
        ([1, 2], "1+2"),
        ({"name": "hinge", "z": 1}, "hinge"),
        ({"z": 1, "w": 0.5}, "z1+w0.5"),
        ("../a b/c", ".._a_b_c"),
    ],
)
def test_a_label_is_safe_in_a_path(value: Any, label: str) -> None:
    (only,) = configurations(BASE, {}, {"b.z": [value]})
    assert only.name == f"z={label}"


@pytest.mark.parametrize(
    ("configs", "sweep", "said"),
    [
        (
            {"p": {"penalty": {"name": "r1"}}},
            {},
            r"^configs\.p\.penalty: is no section any more; write regul",
        ),
        ({"p": {}}, {"penalty.gamma": [1]}, r"^sweep\.penalty\.gamma: is no section any more; write regul"),
    ],
)
def test_a_penalty_is_no_section_any_more(configs: Any, sweep: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        configurations(BASE, configs, sweep)


def test_where_a_problem_comes_from() -> None:
    (only,) = configurations(BASE, {"big": {"a": {"x": 1}}}, {"b.x": [2]})
    assert only.where("a.x") == "configs.big.a.x"
    assert only.where("b.x") == "sweep.b.x"
    assert only.where("b.x.deeper") == "sweep.b.x.deeper"
    assert only.where("b") == "sweep: big,x=2: b"
    (named,) = configurations(BASE, {"big": {"a": {"x": 1}}}, {})
    assert named.where("a") == "configs.big: a"
