"""What follows from corrections elsewhere: messages that wait, what nobody was told of yet, what is counted late."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor import judge
from monitor.acting import Acting
from monitor.escalation.acts import Channel, Correct, Correction, Done, Person
from monitor.escalation.outbox import Waiting
from monitor.model import State
from monitor.render import Renderer
from monitor.store.outbox import Outbox
from tests.fakes.world import THREAD, World, angry

ANNA = Person("anna", Channel.SLACK, "U0000000001")
NOT_NEGATIVE, NOT_ABOUT_US, NEGATIVE = Correction.NOT_NEGATIVE, Correction.NOT_ABOUT_US, Correction.NEGATIVE


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, thread=THREAD)
    yield world
    world.app.close()


def correct(world: World, correction: Correction, *ids: int, number: int = 1) -> Done:
    acting = Acting(world.app.store, world.app.rules)
    return acting.act(number, Correct("anna", correction, ids), ANNA, world.now)


def opened(world: World, times: int = 3) -> None:
    angry(world, times)
    world.wait(seconds=31)
    world.deliver()


def shown(world: World, kind: str) -> str:
    """The latest message of a kind, as it would be sent now."""
    with world.app.store.read() as connection:
        ids = connection.execute("SELECT id FROM outbox WHERE kind = ? ORDER BY id DESC", [kind]).fetchone()
        outbox = Outbox(connection)
        message = outbox.get(ids[0])
        waiting = Waiting(message, outbox.root_of(1) if kind == "update" else None)
        return json.dumps(Renderer("here", buttons=True).message(connection, waiting, world.now).blocks)


def test_news_that_wait_do_not_quote_what_is_not_about_us(world: World) -> None:
    opened(world)
    world.say("acme is awful, said the actor")
    world.say("acme is bad once more")
    world.wait(minutes=2)
    correct(world, NOT_ABOUT_US, 4)
    reply = shown(world, "reply")
    assert "actor" not in reply and "once more" in reply and "1 new mention" in reply
    correct(world, NOT_ABOUT_US, 5)
    assert "once more" not in shown(world, "reply")


def test_a_discussion_of_which_nothing_is_left_can_be_shown(world: World) -> None:
    opened(world)
    correct(world, NOT_ABOUT_US, 1, 2, 3)
    assert "0 mentions" in shown(world, "update") and '"button"' not in shown(world, "update")


def test_what_nobody_was_told_of_yet_comes_back_when_the_correction_is_taken_back(world: World) -> None:
    angry(world)
    assert world.states() == [State.PENDING]
    assert correct(world, NOT_NEGATIVE, 1, 2, 3).escalation.state is State.RESOLVED
    correct(world, NEGATIVE, 1, 2, 3)
    world.wait(seconds=31)
    assert world.states() == [State.OPEN] and world.kinds() == ["root"]


def test_what_was_corrected_of_very_many_does_not_count_until_they_are_counted_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To count a huge discussion anew is put off; nobody is called meanwhile for what people have dismissed."""
    monkeypatch.setattr(judge, "USUAL_NUMBERS", 0)
    monkeypatch.setattr(judge, "RECOUNT_LATER", timedelta(minutes=1))
    opened(world, 4)
    assert correct(world, NOT_NEGATIVE, 1, 2, 3, 4).escalation.state is State.RESOLVED
    world.say("acme is bad")
    assert world.states() == [State.RESOLVED]
    angry(world, 2)
    assert world.states() == [State.OPEN]


def test_it_stays_so_for_a_brand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "USUAL_NUMBERS", 0)
    monkeypatch.setattr(judge, "RECOUNT_LATER", timedelta(minutes=1))
    world = World(tmp_path, brand=THREAD.replace("id: thread\n", "id: brand\nscope: brand\n"))
    for number in range(4):
        world.say("acme is bad", conversation_id=f"t{number}")
    world.wait(seconds=31)
    world.wait(seconds=31)
    assert correct(world, NOT_NEGATIVE, 1, 2, 3, 4).escalation.state is State.RESOLVED
    world.say("acme is bad", conversation_id="t9")
    world.wait(seconds=31)
    assert world.states() == [State.RESOLVED]
    world.app.close()
