"""A discussion that has alerted, and people who say of its mentions what they are."""

from __future__ import annotations

from monitor.acting import Acting
from monitor.escalation.acts import Channel, Correct, Correction, Done, Person
from monitor.model import Discussion, Escalation, Mention, State
from monitor.store import discussions, escalations, mentions
from tests.fakes.world import World, angry

ANNA = Person("anna", Channel.SLACK, "U0000000001")
NOT_NEGATIVE, NOT_ABOUT_US, NEGATIVE = Correction.NOT_NEGATIVE, Correction.NOT_ABOUT_US, Correction.NEGATIVE


def opened(world: World, times: int) -> None:
    """A thread of so many negative mentions has alerted and its message stands in the channel."""
    angry(world, times)
    world.wait(seconds=31)
    world.told()
    assert world.states() == [State.OPEN]


def correct(world: World, correction: Correction, *ids: int, number: int = 1) -> Done:
    acting = Acting(world.app.store, world.app.rules)
    return acting.act(number, Correct("anna", correction, ids), ANNA, world.now)


def discussion(world: World, number: int = 1) -> Discussion:
    with world.app.store.read() as connection:
        found = discussions.by_id(connection, number)
    assert found is not None
    return found


def escalation(world: World, number: int = 1) -> Escalation:
    with world.app.store.read() as connection:
        found = escalations.by_id(connection, number)
    assert found is not None
    return found


def mention(world: World, number: int) -> Mention:
    with world.app.store.read() as connection:
        return mentions.by_ids(connection, [number])[0]


def said(world: World) -> list[tuple[int, str, str, str]]:
    with world.app.store.read() as connection:
        found = connection.execute("SELECT mention_id, correction, label, judged FROM labels ORDER BY id").fetchall()
    return [tuple(row) for row in found]
