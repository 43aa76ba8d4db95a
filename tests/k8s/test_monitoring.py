"""What Prometheus scrapes, and what the board and the alerts ask of it."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from .manifests import K8S, ROOT, Manifest, compose, find, pods, ray
from .schemas import KUBERNETES, core_problems

BOARD = json.loads((K8S / "components" / "monitoring" / "gandist.json").read_text())
TOLD = set(re.findall(r"`(ray_gandist_\w+)`", (ROOT / "docs" / "operators.md").read_text()))
LABELS = {"gandist_job", "trial", "status", "namespace"}
RAYS_LABELS = {"ip", "GpuIndex"}


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    return compose(tmp_path_factory.mktemp("overlay"), ["monitoring"])


def expressions() -> list[str]:
    """All that is asked of Prometheus."""
    groups = yaml.safe_load((K8S / "components" / "monitoring" / "rules.yaml").read_text())["spec"]["groups"]
    rules = [rule["expr"] for group in groups for rule in group["rules"]]
    asked = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
    return [*asked, *rules, *(variable.get("definition", "") for variable in BOARD["templating"]["list"])]


def test_all_that_is_asked_is_what_gandist_and_ray_tell() -> None:
    asked = set(re.findall(r"\b(ray_\w+)", " ".join(expressions())))
    assert {name for name in asked if "gandist" in name} == TOLD
    ray_ = importlib.util.find_spec("ray")  # without the seconds that importing it takes
    assert ray_
    assert ray_.origin
    source = Path(ray_.origin).parent / "dashboard" / "modules" / "reporter" / "reporter_agent.py"
    for name in asked - TOLD:
        assert f'"{name.removeprefix("ray_")}": Gauge(' in source.read_text()


def test_series_are_chosen_and_summed_by_labels_that_they_have() -> None:
    text = " ".join(expressions())
    grouped = " ".join(re.findall(r"by \(([^)]*)\)", text))
    named = re.findall(r"\w+", grouped) + re.findall(r"(\w+)=~", text) + re.findall(r", (\w+)\)$", text)
    assert set(named) <= LABELS | RAYS_LABELS


def test_what_is_chosen_on_the_board_is_asked_for() -> None:
    chosen = {variable["name"] for variable in BOARD["templating"]["list"]} - {"datasource"}
    for panel in BOARD["panels"]:
        (target,) = panel["targets"]
        of_trials = "gandist" in target["expr"]
        wanted = chosen if of_trials else {"namespace"}
        assert set(re.findall(r"\$(\w+)", target["expr"])) == wanted, panel["title"]
        legend = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
        kept = re.search(r"by \(([^)]*)\)", target["expr"])
        assert kept
        assert legend <= set(kept[1].split(", ")), panel["title"]


def test_the_names_are_those_of_the_code() -> None:
    code = (ROOT / "gandist" / "runner" / "ray" / "metrics.py").read_text()
    for name in TOLD:
        assert name.removeprefix("ray_gandist_trial_").removesuffix("_total") in code


def test_panels_lie_side_by_side_and_say_what_they_show() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        assert panel["description"]
        taken |= cells
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])


def matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    return all(labels.get(key) == value for key, value in selector["matchLabels"].items()) and all(
        labels.get(rule["key"]) in rule["values"] for rule in selector["matchExpressions"]
    )


@pytest.mark.parametrize("kind", ["PodMonitor", "NetworkPolicy"])
def test_the_nodes_of_ray_are_scraped_and_let_themselves_be(kind: str, manifests: list[Manifest]) -> None:
    spec = find(manifests, kind, "gandist-metrics" if kind == "NetworkPolicy" else "")["spec"]
    selector = spec["selector" if kind == "PodMonitor" else "podSelector"]
    chosen = [pod.role for pod in pods(ray(manifests)) if matches(selector, pod.labels)]
    assert chosen == ["head", "worker"]


@pytest.mark.parametrize("version", KUBERNETES)
def test_what_is_kubernetes_own_fits_it(manifests: list[Manifest], version: str) -> None:
    own = [m for m in manifests if m["apiVersion"] != "monitoring.coreos.com/v1"]
    assert [problem for manifest in own for problem in core_problems(manifest, version)] == []


def test_the_board_is_found_by_grafanas_sidecar(manifests: list[Manifest]) -> None:
    board = find(manifests, "ConfigMap", "gandist-board")
    assert board["metadata"]["labels"] == {"grafana_dashboard": "1"}
    assert json.loads(board["data"]["gandist.json"]) == BOARD


def test_alerts_say_which_trial() -> None:
    rules = (K8S / "components" / "monitoring" / "rules.yaml").read_text()
    assert rules.count("- alert:") == rules.count("{{ $labels.gandist_job }}/{{ $labels.trial }}") == 2
