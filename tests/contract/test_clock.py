"""A clock that is set back while the daemon runs: what was to happen in half a minute happens in half a minute."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.daemon import Daemon
from monitor.errors import StoreError
from monitor.escalation.events import Told
from monitor.model import State
from monitor.store import escalations
from tests.fakes.world import THREAD, World, angry


def test_a_clock_that_is_set_back_delays_no_alert(world: World) -> None:
    daemon = Daemon(world.app)
    angry(world)
    world.now -= timedelta(hours=1)
    daemon._mind_the_clock()
    world.wait(seconds=40)
    assert world.states() == [State.OPEN]


def test_a_clock_that_is_set_back_delays_no_tier(tmp_path: Path) -> None:
    tiers = "[{after: 0m, team: social}, {after: 15m, team: social}]"
    world = World(tmp_path, thread=THREAD.replace("[{after: 0m, team: social}]", tiers))
    daemon = Daemon(world.app)
    angry(world)
    world.wait(seconds=31)
    world.act(Told())
    world.now -= timedelta(hours=1)
    daemon._mind_the_clock()
    before = world.kinds()
    world.wait(minutes=14)
    assert world.kinds() == before
    world.wait(minutes=2)
    assert world.kinds() == [*before, "reply", "update"]


def test_tiers_are_as_far_away_as_before(tmp_path: Path) -> None:
    tiers = "escalate: [{after: 0m, team: social}, {after: 15m, team: social}]"
    world = World(tmp_path, thread=THREAD.replace("escalate: [{after: 0m, team: social}]", tiers))
    angry(world)
    world.wait(seconds=40)
    world.app.delivery.step(world.now)
    world.wait(minutes=10)
    daemon = Daemon(world.app)
    world.now -= timedelta(hours=1)
    daemon._mind_the_clock()
    world.wait(minutes=6)
    with world.app.store.read() as connection:
        (escalation,) = escalations.having_state(connection, tuple(State))
    world.app.close()
    assert escalation.tier == 2


def test_a_clock_set_back_while_the_database_is_locked_is_noticed_afterwards(world: World) -> None:
    daemon = Daemon(world.app)
    angry(world)
    world.now -= timedelta(hours=1)
    other = sqlite3.connect(world.app.store.path, isolation_level=None)
    world.app.store._writer.execute("PRAGMA busy_timeout = 0")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError):
        daemon._mind_the_clock()
    other.close()
    daemon._mind_the_clock()
    world.wait(seconds=40)
    assert world.states() == [State.OPEN]
