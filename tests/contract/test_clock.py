"""A clock that is set back while the daemon runs: what was to happen in half a minute happens in half a minute."""

from __future__ import annotations

from datetime import timedelta

from monitor.daemon import Daemon
from monitor.model import State
from tests.fakes.world import World, angry


def test_a_clock_that_is_set_back_delays_no_alert(world: World) -> None:
    daemon = Daemon(world.app)
    angry(world)
    world.now -= timedelta(hours=1)
    daemon._mind_the_clock()
    world.wait(seconds=40)
    assert world.states() == [State.OPEN]
