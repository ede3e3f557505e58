"""Handing over and answering, end to end: who gets which message in which channel, and whom an answer spares."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.carry_out import act, kept_by
from monitor.escalation.events import Acknowledge, Assign, CannotBeTold, HandOver, Reason, Snooze
from monitor.model import Author, Escalation, State
from monitor.rules.snapshot import snapshot_from_json
from monitor.store import escalations, mutes
from monitor.store.outbox import Outbox
from monitor.wording.catalogs import words
from monitor.wording.text import texts_from_json
from tests.fakes.world import LOUD, THREAD, World, angry

TEAMS = """\
social: {channel: "#social", members: {anna: U0000000001}}
leads: {channel: "#leads", members: {dora: U0000000002}}
legal: {channel: "#legal", members: {lea: U0000000003}, zone: Europe/Rome, hours: {open: {mon-fri: "14:00-18:00"}}}
press: {channel: "#social", user_group: S0000000001}
"""
RULE = THREAD.replace(
    "escalate: [{after: 0m, team: social}]",
    "escalate: [{after: 0m, team: social}, {after: 15m, unless: [acknowledged, answered], team: leads, mention: true},"
    " {after: 1h, team: legal, mention: true}]",
)


@dataclass(frozen=True)
class Sent:
    kind: str
    channel: str
    text: str
    notify: tuple[str, ...]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, teams=TEAMS, thread=RULE, loud=LOUD)
    yield world
    world.app.close()


def one(world: World) -> Escalation:
    with world.app.store.read() as connection:
        found = escalations.by_id(connection, 1)
    assert found is not None
    return found


def hand_over(world: World, team: str) -> Reason:
    """As whoever acts does it: the snapshot first, then the decision."""
    with world.app.store.write() as connection:
        escalation = escalations.by_id(connection, 1)
        assert escalation is not None
        kept = kept_by(connection, escalation).handed_to(world.app.rules.teams[team])
        escalations.save_snapshot(connection, 1, escalation.rule_id, kept.to_json())
        return act(connection, escalation, HandOver("ann", team), "ann", world.now).reason


def sent(world: World, after: int = 0) -> list[Sent]:
    """All but updates, after the first so many."""
    with world.app.store.read() as connection:
        rows = connection.execute("SELECT id FROM outbox WHERE kind <> 'update' ORDER BY id").fetchall()
        messages = [Outbox(connection).get(row["id"]) for row in rows]
    said = words()
    return [
        Sent(one.kind, one.channel, " ".join(map(said.text, texts_from_json(one.payload.get("text", "")))),
             tuple(one.payload.get("notify", ())))
        for one in messages[after:]
    ]  # fmt: skip


def opened(world: World) -> None:
    angry(world)
    world.wait(seconds=31)
    world.deliver()
    assert one(world).told_at is not None


def whys(world: World) -> list[str]:
    with world.app.store.read() as connection:
        return [row["why"] for row in escalations.history(connection, 1)]


# -- given to somebody -------------------------------------------------------------------------------------------


def test_whoever_is_given_it_is_called_in_the_thread(world: World) -> None:
    opened(world)
    world.act(Assign("anna", "dora"))
    assert sent(world, 1) == [Sent("reply", "#social", "anna has given it to dora.", ("U0000000002",))]
    world.act(Assign("dora", "dora"))
    world.act(Assign("anna", "anna"))
    assert len(sent(world)) == 2, "who takes it for themselves knows"


def test_who_had_it_is_called_when_the_snooze_is_over(world: World) -> None:
    opened(world)
    world.act(Acknowledge("anna"))
    world.act(Snooze("anna", world.now + timedelta(minutes=30)))
    world.wait(minutes=31)
    assert sent(world, 1) == [Sent("reply", "#social", "The snooze is over.", ("U0000000001",))]


# -- handed over -------------------------------------------------------------------------------------------------


def test_the_new_team_is_called_in_its_channel_and_the_thread_says_who_did_that(world: World) -> None:
    opened(world)
    world.act(Acknowledge("anna"))
    assert hand_over(world, "legal") is Reason.HANDED_OVER
    thread = "ann has handed it over to team legal (by its hours there again: 30 Mar, 12:00)."
    assert sent(world, 1) == [
        Sent("reply", "#social", f"{thread} Told in #legal.", ()),
        Sent("call", "#legal", f"{thread} Its thread is in #social (escalation e1).", ("U0000000003",)),
    ]
    now = one(world)
    assert (now.state, now.team, now.assignee) == (State.OPEN, "legal", None)
    with world.app.store.read() as connection:
        event = escalations.history(connection, 1)[-1]
    assert (event["who"], event["what"], event["why"]) == ("ann", "open", Reason.HANDED_OVER)
    told = [{"tier": 1, "team": "legal", "channel": "#legal", "called": ["lea"]}]
    assert json.loads(event["data"])["team"] == "legal" and json.loads(event["data"])["told"] == told


def test_the_later_tiers_of_the_rule_count_from_then_and_nobody_is_told_twice(world: World) -> None:
    opened(world)
    world.wait(minutes=10)
    hand_over(world, "legal")
    before = len(sent(world))
    world.wait(minutes=14)
    assert sent(world, before) == []
    world.wait(minutes=2)
    assert [(one.kind, one.channel) for one in sent(world, before)] == [("reply", "#social"), ("call", "#leads")]
    assert sent(world, before)[0].text == (
        "Nobody has taken it for 16 minutes: team leads is told (tier 2 of 2). Told in #leads."
    )
    world.wait(hours=2)
    assert len(sent(world, before)) == 2, "legal, the rule's last tier, has it already"


def test_a_team_that_shares_the_channel_is_called_in_the_thread(world: World) -> None:
    opened(world)
    hand_over(world, "press")
    assert sent(world, 1) == [
        Sent("reply", "#social", "ann has handed it over to team press.", ("S0000000001",)),
    ]


def test_before_its_first_message_that_goes_to_the_new_team(world: World) -> None:
    angry(world)
    hand_over(world, "leads")
    world.wait(seconds=31)
    assert sent(world) == [Sent("root", "#leads", "ann has handed it over to team leads.", ("U0000000002",))]


def test_a_mute_holds_back_what_is_handed_over(world: World) -> None:
    opened(world)
    with world.app.store.write() as connection:
        mutes.add(connection, mutes.Mute("thread", world.now, world.now + timedelta(hours=1), "ann"))
    hand_over(world, "leads")
    world.deliver()
    with world.app.store.read() as connection:
        assert connection.execute("SELECT count(*) FROM outbox WHERE state = 'sent'").fetchone()[0] == 2
    world.wait(hours=1, seconds=1)
    world.deliver()
    with world.app.store.read() as connection:
        call = connection.execute("SELECT channel, state FROM outbox WHERE kind = 'call' ORDER BY id").fetchone()
    assert tuple(call) == ("#leads", "sent")


def test_what_it_keeps_of_its_rule_survives_and_old_snapshots_are_read(world: World) -> None:
    opened(world)
    with world.app.store.read() as connection:
        stored = escalations.snapshot(connection, one(world), "thread")
    kept = snapshot_from_json(stored)
    handed = kept.handed_to(world.app.rules.teams["leads"])
    assert snapshot_from_json(json.loads(json.dumps(handed.to_json()))) == handed
    assert [(tier.team, tier.mention) for tier in handed.tiers] == [("leads", True), ("legal", True)]
    assert handed.person("anna") == ("U0000000001",), "whoever had it is still known"
    for tier in stored["tiers"]:
        del tier["unless_answered"]
    assert [tier.unless_answered for tier in snapshot_from_json(stored).tiers] == [False, False, False]


def test_handed_to_a_later_team_and_back_it_climbs_to_that_team_again(world: World) -> None:
    opened(world)
    world.deliver()
    hand_over(world, "leads")
    hand_over(world, "social")
    world.deliver()
    before = len(sent(world, 1))
    world.wait(minutes=16)
    assert ("call", "#leads") in [(one.kind, one.channel) for one in sent(world, 1)[before:]]


# -- answered ----------------------------------------------------------------------------------------------------


def answer(world: World, **values: object) -> None:
    world.say("We are sorry, acme will mend it.", author=Author(handle="acme_help"), **values)


def test_an_answer_of_ours_spares_who_waited_for_it_and_says_how_long_it_took(world: World) -> None:
    opened(world)
    told = one(world).opened_at
    assert told is not None
    world.now = told + timedelta(minutes=7)
    answer(world, after=timedelta())
    assert one(world).answered_at == told + timedelta(minutes=7)
    with world.app.store.read() as connection:
        event = escalations.history(connection, 1)[-1]
    assert (event["who"], event["why"]) == ("ingest", Reason.ANSWERED)
    assert json.loads(event["data"])["seconds"] == 7 * 60
    before = len(sent(world))
    world.wait(minutes=40)
    assert [one.channel for one in sent(world, before)] == ["#social"], "only the thread hears of the answer"
    world.wait(hours=1, minutes=30)
    assert one(world).tier == 3, "legal is told in any case, when they are there"


def test_what_we_said_before_it_alerted_and_is_read_late_is_no_answer(world: World) -> None:
    opened(world)
    answer(world, published_at=world.now - timedelta(hours=1))
    assert one(world).answered_at is None
    first = world.now
    answer(world, published_at=first)
    answer(world)
    assert one(world).answered_at == first
    assert whys(world).count(Reason.ANSWERED) == 1


def test_handed_over_an_answer_is_waited_for_anew(world: World) -> None:
    opened(world)
    answer(world)
    hand_over(world, "legal")
    assert one(world).answered_at is None
    begun = world.now
    answer(world, after=timedelta(minutes=3))
    with world.app.store.read() as connection:
        event = escalations.history(connection, 1)[-1]
    assert json.loads(event["data"])["seconds"] == 180 and one(world).answered_at == begun + timedelta(minutes=3)


# -- what cannot be told -----------------------------------------------------------------------------------------


def test_what_its_own_channel_refuses_is_told_to_the_next_tier(world: World) -> None:
    angry(world)
    world.wait(seconds=31)
    world.act(CannotBeTold())
    world.wait(minutes=16)
    assert [(one.kind, one.channel) for one in sent(world)][1:] == [("reply", "#social"), ("call", "#leads")]
    assert Reason.CANNOT_BE_TOLD in whys(world)
    world.deliver()
    assert Reason.TOLD not in whys(world), "it arrived in the end, and its tiers go on as they were"


# -- late together -----------------------------------------------------------------------------------------------


def test_after_a_suspend_of_six_hours_what_is_late_makes_one_step(tmp_path: Path) -> None:
    """The reminder of an hour and the reopening of five: nobody is reminded of what nobody has any more."""
    world = World(tmp_path, teams=TEAMS, thread=THREAD + "acknowledged: {remind_after: 1h, reopen_after: 5h}\n")
    opened(world)
    world.act(Acknowledge("anna"))
    world.wait(hours=6)
    assert [one.text for one in sent(world, 1)] == ["Acknowledged, but not resolved in time: it is open again."]
    assert (one(world).state, one(world).assignee) == (State.OPEN, None)
    world.app.close()


def test_a_team_that_was_away_is_told_when_it_is_back(tmp_path: Path) -> None:
    """Legal comes at noon (UTC); the leads did not wait for them, and are not called again for it."""
    tiers = "escalate: [{after: 0m, team: social}, {after: 15m, team: legal}, {after: 30m, team: leads}]"
    rule = THREAD.replace("escalate: [{after: 0m, team: social}]", tiers)
    world = World(tmp_path, teams=TEAMS, thread=rule)
    opened(world)
    world.wait(minutes=31)
    assert [one.channel for one in sent(world, 1)] == ["#social", "#leads"]
    with world.app.store.read() as connection:
        assert (found := escalations.by_id(connection, 1)) is not None
    assert (found.tier, found.passed_over) == (3, (2,)), "kept where a restart finds it"
    world.now = world.now.replace(hour=12, minute=0, second=1)
    world.wait(seconds=1)
    assert [one.channel for one in sent(world, 3)] == ["#social", "#legal"]
    assert (one(world).tier, one(world).passed_over) == (3, ())
    world.app.close()
