"""Mutes against everything else that goes on: what waits, fails, changes hands, mutes that change, a clock set back.

That a muted rule never posts, and what it held is told, is shown for random days in test_rule_properties.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from monitor.daemon import Daemon
from monitor.escalation import outbox as decisions
from monitor.model import Author, Scope, Severity, State
from monitor.outgoing import MessageKind, MessageState, OutboxMessage
from monitor.status import status
from monitor.store import escalations, mutes
from monitor.store.outbox import Outbox
from tests.fakes.world import World, angry

HOUR = timedelta(hours=1)


def mute(world: World, rule: str, length: timedelta) -> None:
    with world.app.store.write() as connection:
        mutes.add(connection, mutes.Mute(rule, world.now, world.now + length, "ann"))


def unmute(world: World, rule: str) -> None:
    with world.app.store.write() as connection:
        mutes.end(connection, rule, world.now)


def go_on(world: World, length: timedelta, step: timedelta = timedelta(minutes=1)) -> None:
    """Let time pass as the daemon would, its sender included."""
    end = world.now + length
    while world.now < end:
        world.now = min(world.now + step, end)
        world.app.settle()
        while (due := world.app.delivery.step(world.now)) is not None and due <= world.now:
            pass


def posted(world: World) -> list[MessageKind]:
    with world.app.store.read() as connection:
        return [message.kind for message in Outbox(connection).in_state(MessageState.SENT)]


def failed(message: OutboxMessage, world: World) -> OutboxMessage:
    return decisions.after_failed(message, "no connection", world.now)


def interrupted(message: OutboxMessage, world: World) -> OutboxMessage:
    return decisions.after_unknown(message, "the connection broke", world.now)


def refused(message: OutboxMessage, world: World) -> OutboxMessage:
    return decisions.after_refused(message, "is_archived", "archived", world.now, None)


@pytest.mark.parametrize("trouble", [failed, interrupted, refused])
def test_a_message_that_was_being_sent_when_its_rule_was_muted_waits_for_the_end(world: World, trouble: object) -> None:
    angry(world)
    world.wait(seconds=30)
    with world.app.store.write() as connection:
        sending = Outbox(connection).claim(Outbox(connection).get(1), world.now, world.now)
        assert sending is not None
    mute(world, "thread", 4 * HOUR)
    with world.app.store.write() as connection:
        Outbox(connection).save(trouble(sending, world))  # type: ignore[operator]
    go_on(world, 4 * HOUR - timedelta(minutes=2))
    assert posted(world) == []
    go_on(world, timedelta(minutes=20))
    assert posted(world) == [MessageKind.ROOT]


def test_a_critical_rule_does_not_wait_for_the_mute_of_another(world: World) -> None:
    angry(world)
    world.wait(seconds=30)
    mute(world, "thread", 4 * HOUR)
    world.say("acme is bad", author=Author(id="loud", followers=200_000))
    go_on(world, timedelta(minutes=3))
    assert MessageKind.ROOT in posted(world)


def test_a_mute_that_was_made_longer_and_then_ended_is_over_at_once(world: World) -> None:
    mute(world, "thread", HOUR)
    angry(world)
    go_on(world, timedelta(minutes=2))
    mute(world, "thread", 10 * HOUR)
    unmute(world, "thread")
    go_on(world, timedelta(minutes=2))
    assert world.states() == [State.OPEN] and posted(world) == [MessageKind.ROOT]


def test_a_mute_of_a_file_that_was_made_shorter_ends_then(world: World) -> None:
    def in_file(length: timedelta) -> Iterable[mutes.Mute]:
        return [mutes.Mute("thread", world.now, world.now + length, "c@example.com", "", mutes.FILE)]

    with world.app.store.write() as connection:
        mutes.replace_those_of_files(connection, in_file(10 * HOUR), world.now)
    angry(world)
    go_on(world, timedelta(minutes=2))
    with world.app.store.write() as connection:
        mutes.replace_those_of_files(connection, in_file(HOUR), world.now)
    go_on(world, timedelta(minutes=58))
    assert world.states() == [State.HELD]
    go_on(world, timedelta(minutes=4))
    assert world.states() == [State.OPEN] and posted(world) == [MessageKind.ROOT]


@pytest.mark.parametrize("origin", [mutes.COMMAND, mutes.FILE])
def test_a_clock_that_is_set_back_ends_no_mute(world: World, origin: str) -> None:
    angry(world)
    world.wait(seconds=30)
    daemon = Daemon(world.app)
    until = world.now + 4 * HOUR
    with world.app.store.write() as connection:
        mutes.add(connection, mutes.Mute("thread", world.now, until, "ann", "", origin))
    world.now -= HOUR
    daemon._mind_the_clock()
    for _ in range(3):
        world.say("acme is bad", conversation_id="t2")
    # Four hours are four hours; a day and hour in a file are what the clock says.
    end = until - HOUR if origin == mutes.COMMAND else until
    go_on(world, end - world.now - timedelta(minutes=2))
    assert posted(world) == []
    go_on(world, timedelta(minutes=5))
    assert posted(world) == [MessageKind.ROOT] * 2


def test_a_mute_that_comes_between_choosing_and_sending_stops_the_message(world: World) -> None:
    angry(world)
    world.wait(seconds=30)
    with world.app.store.read() as connection:
        chosen = Outbox(connection).due(world.now)[0].message
    mute(world, "thread", HOUR)
    with world.app.store.write() as connection:
        assert Outbox(connection).claim(chosen, world.now, world.now) is None
        assert Outbox(connection).muted(world.now) == 1
    assert status(world.app.store, world.now + timedelta(minutes=30)).oldest_waiting is None
    go_on(world, HOUR + timedelta(minutes=2))
    assert posted(world) == [MessageKind.ROOT]


@pytest.mark.parametrize("muted, waits", [("thread", False), ("loud", True)])
def test_a_pointer_waits_for_the_mute_of_the_rule_it_speaks_for(world: World, muted: str, waits: bool) -> None:
    with world.app.store.write() as connection:
        id = escalations.create(connection, "Acme", Scope.BRAND, None, "thread", Severity.HIGH, world.now).id
        Outbox(connection).enqueue(
            kind=MessageKind.NOTICE, channel="#leads", severity=Severity.HIGH, escalation_id=id,
            payload={"text": "It is handled in #social.", "rule": "loud"}, now=world.now,
        )  # fmt: skip
    mute(world, muted, HOUR)
    go_on(world, timedelta(minutes=5))
    assert (posted(world) == []) == waits
    go_on(world, HOUR)
    assert posted(world) == [MessageKind.NOTICE]
