"""What Prometheus scrapes, and what the board and the alerts ask of it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from .manifests import K8S, ROOT, Manifest, compose, find, pods, ray
from .schemas import KUBERNETES, core_problems

BOARD = json.loads((K8S / "components" / "monitoring" / "gandist.json").read_text())
TOLD = set(re.findall(r"`(ray_gandist_\w+)`", (ROOT / "docs" / "operators.md").read_text()))
LABELS = {"gandist_job", "trial", "status", "namespace"}


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    return compose(tmp_path_factory.mktemp("overlay"), ["monitoring"])


def expressions() -> list[str]:
    """All that is asked of Prometheus."""
    rules = re.findall(r"expr: (.*)", (K8S / "components" / "monitoring" / "rules.yaml").read_text())
    asked = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
    return [*asked, *rules, *(variable.get("definition", "") for variable in BOARD["templating"]["list"])]


def test_all_that_is_asked_is_what_gandist_tells() -> None:
    asked = " ".join(expressions())
    assert set(re.findall(r"\b(ray_\w+)", asked)) == TOLD
    named = re.findall(r"(?:by \(|values\(\w+, |\{)([\w, ]+)", asked)
    assert {label.strip() for names in named for label in names.split(",")} <= LABELS


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
