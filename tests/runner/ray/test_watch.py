"""A Ray that has died while it was used."""

from __future__ import annotations

import os
import threading

import pytest

from gandist.errors import RunError
from gandist.runner.ray import watch as module
from gandist.runner.ray.watch import HEAD_S, LAST_S, OWN_S, Watch


class Network:
    """Answers unless an address is among the dead; time passes where a test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.dead: set[tuple[str, int]] = set()

    def connect(self, address: tuple[str, int], _: float) -> None:
        if address in self.dead:
            raise ConnectionRefusedError


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def watch(network: Network) -> Watch:
    watch = Watch("RAY_ADDRESS=head:6379", network.connect, lambda: network.now)
    watch.add("its head (GCS)", "head:6379", HEAD_S)
    watch.add("the raylet of this machine", "[::1]:4000", OWN_S)
    return watch


def look(watch: Watch, network: Network, seconds: float) -> None:
    network.now += seconds
    watch.look()
    watch.check()


def test_a_head_may_come_back(watch: Watch, network: Network) -> None:
    look(watch, network, 0)
    network.dead = {("head", 6379)}
    look(watch, network, 1)
    look(watch, network, HEAD_S - 1)
    network.dead = set()
    look(watch, network, 1)
    network.dead = {("head", 6379)}
    look(watch, network, 1)
    with pytest.raises(RunError, match=r"^RAY_ADDRESS=head:6379: its head \(GCS\) answers no more"):
        look(watch, network, HEAD_S)


def test_a_raylet_does_not(watch: Watch, network: Network) -> None:
    network.dead = {("::1", 4000)}
    look(watch, network, 1)
    with pytest.raises(RunError, match="the raylet of this machine answers no more"):
        look(watch, network, OWN_S)


def test_what_ray_holds_up_is_ended_and_what_it_has_started_before_it(
    watch: Watch, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.0)
    monkeypatch.setattr(module, "LAST_S", 0.0)
    left: list[int] = []
    done, ended = [], threading.Event()
    monkeypatch.setattr(os, "_exit", lambda code: (left.append(code), ended.set()))
    network.dead, network.now = {("::1", 4000)}, 1.0
    watch.look()
    network.now += OWN_S
    with watch.running(lambda: done.append(len(left))):
        assert ended.wait(60)
    assert (done, left) == ([0], [1])


def test_ray_itself_would_end_the_process_later() -> None:
    assert max(OWN_S, HEAD_S) + LAST_S < 60
