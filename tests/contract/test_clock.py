"""A clock that is set back while the daemon runs: what was to happen in half a minute happens in half a minute."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from monitor.daemon import Daemon
from monitor.escalation.events import Told
from monitor.model import State
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
