"""What becomes of an alert: several rules and teams, people who answer, what flares up again; on a real database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitor.escalation.events import Acknowledge, Resolve
from monitor.model import Author, Outcome, State
from monitor.outgoing import MessageKind
from monitor.store import escalations
from monitor.wording.catalogs import words
from monitor.wording.text import texts_from_json
from tests.fakes.world import LOUD, TEAMS, THREAD, World, angry


def test_several_rules_make_one_message_of_the_highest_severity(world: World) -> None:
    angry(world)
    world.wait(seconds=31)
    world.told()
    world.say("acme is awful", author=Author(id="star", followers=500_000))
    assert world.states() == [State.OPEN]
    assert world.messages()[1:] == [(MessageKind.REPLY, "critical"), (MessageKind.UPDATE, "critical")]
    with world.app.store.read() as connection:
        view = escalations.view(connection, 1)
    assert [rule.rule_id for rule in view.rules] == ["loud", "thread"]
    assert {reason.name for rule in view.rules for reason in rule.reasons} == {"author_reach", "negative_mentions"}


def test_the_team_of_another_rule_is_told_where_the_one_message_stands(tmp_path: Path) -> None:
    legal = LOUD.replace("id: loud", "id: legal").replace("team: social", "team: legal, mention: true")
    teams = TEAMS + 'legal: {channel: "#legal", user_group: S0123456789}\n'
    world = World(tmp_path, teams=teams, thread=THREAD, legal=legal)
    angry(world)
    world.wait(seconds=31)
    world.told()
    world.say("acme is awful", author=Author(id="star", followers=500_000))
    with world.app.store.read() as connection:
        rows = connection.execute("SELECT kind, channel, payload FROM outbox ORDER BY id").fetchall()
    assert [(row["kind"], row["channel"]) for row in rows] == [
        ("root", "#social"), ("reply", "#social"), ("call", "#legal"), ("update", "#social"),
    ]  # fmt: skip
    call = json.loads(rows[2]["payload"])
    assert call["notify"] == ["S0123456789"], "the graver rule's people are called, in their own channel"
    assert "Its thread is in #social (escalation e1)" in " ".join(map(words().text, texts_from_json(call["text"])))
    world.app.close()


def test_tiers_that_are_late_together_are_told_in_one_message_a_channel(tmp_path: Path) -> None:
    tiers = "[{after: 0m, team: social}, {after: 15m, team: a, mention: true}, {after: 1h, team: b, mention: true}]"
    teams = TEAMS + 'a: {channel: "#a", members: {ada: U0000000001}}\nb: {channel: "#a", members: {bob: U0000000002}}\n'
    world = World(tmp_path, teams=teams, thread=THREAD.replace("[{after: 0m, team: social}]", tiers))
    angry(world)
    world.wait(seconds=31)
    world.deliver()
    world.wait(hours=3)
    with world.app.store.read() as connection:
        (call,) = connection.execute("SELECT channel, payload FROM outbox WHERE kind = 'call'").fetchall()
        replies = connection.execute("SELECT count(*) FROM outbox WHERE kind = 'reply'").fetchone()[0]
    assert (call["channel"], replies) == ("#a", 1)
    assert json.loads(call["payload"])["notify"] == ["U0000000001", "U0000000002"]
    world.app.close()


def test_what_a_refused_channel_kept_back_goes_where_the_team_is_now(world: World) -> None:
    angry(world)
    world.wait(seconds=31)
    with world.app.store.write() as connection:
        connection.execute("UPDATE outbox SET state = 'blocked', error = 'is_archived'")
    (world.folder / "rules" / "teams.yaml").write_text('social: {channel: "#new-home"}\n', "utf-8")
    world.app.reload()
    with world.app.store.read() as connection:
        assert tuple(connection.execute("SELECT channel FROM outbox").fetchone()) == ("#new-home",)


def test_what_is_held_is_told_as_soon_as_the_team_says_that_it_is_there(tmp_path: Path) -> None:
    """Somebody sees that an alert is held until the evening, and mends the hours."""
    teams = 'social: {channel: "#social", zone: UTC, hours: {open: {mon-sun: "19:00-20:00"}}}\n'
    world = World(tmp_path, teams=teams, thread=THREAD)
    angry(world)
    world.wait(seconds=31)
    assert world.states() == [State.HELD]
    (world.folder / "rules" / "teams.yaml").write_text(teams.replace("19:00", "09:00"), "utf-8")
    world.app.reload()
    world.wait(seconds=1)
    assert world.states() == [State.OPEN]


def test_a_critical_rule_does_not_wait_for_a_slower_one(tmp_path: Path) -> None:
    slow, quick = (
        THREAD.replace("wait_first: 30s", "wait_first: 1h"),
        LOUD.replace("wait_first: 30s", "wait_first: 10s"),
    )
    world = World(tmp_path, thread=slow, loud=quick)
    angry(world)
    world.say("acme is awful", author=Author(id="star", followers=500_000))
    world.wait(seconds=11)
    assert world.states() == [State.OPEN]
    world.app.close()


def test_an_escalation_that_cannot_be_decided_holds_up_no_other(world: World) -> None:
    angry(world)
    for _ in range(3):
        world.say("acme is bad", conversation_id="t2")
    with world.app.store.write() as connection:
        connection.execute("UPDATE escalation_rules SET snapshot = ? WHERE escalation_id = 1", ['"broken"'])
    world.wait(seconds=31)
    assert world.states() == [State.PENDING, State.OPEN]


def test_acknowledge_resolve_and_the_audit_log(world: World) -> None:
    angry(world)
    world.wait(seconds=31)
    world.told()
    world.act(Acknowledge("ann"))
    world.act(Resolve("ann", Outcome.ANSWERED, "called them"))
    assert world.states() == [State.RESOLVED]
    with world.app.store.read() as connection:
        history = [(row["who"], row["what"]) for row in escalations.history(connection, 1)]
    assert history == [
        ("rule thread", "pending"), ("timer wait_first", "open"), ("ann", "acknowledged"), ("ann", "resolved"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("hours", "states"), [(1, [State.OPEN]), (7, [State.RESOLVED, State.PENDING])], ids=["soon", "later"]
)
def test_what_flares_up_after_it_was_resolved(world: World, hours: int, states: list[State]) -> None:
    angry(world)
    world.wait(seconds=31)
    world.act(Resolve("ann", Outcome.ANSWERED))
    world.say("acme is great now, thank you")
    assert world.states() == [State.RESOLVED], "a friendly word opens nothing"
    world.wait(hours=hours)
    angry(world)
    assert world.states() == states


def test_no_query_of_the_pipeline_reads_a_whole_table(world: World) -> None:
    """What grows with the years must be found by an index, or every new mention would cost more than the last."""
    seen: set[str] = set()
    connections = [world.app.store._writer]
    with world.app.store.read() as connection:
        connections.append(connection)
    for connection in connections:
        connection.set_trace_callback(seen.add)
    angry(world, 5)
    world.wait(seconds=31)
    world.act(Acknowledge("ann"))
    angry(world, 2)
    world.wait(seconds=61)
    for connection in connections:
        connection.set_trace_callback(None)
    queries = [text for text in seen if text.lstrip().startswith(("SELECT", "UPDATE", "DELETE"))]
    assert len(queries) > 30
    with world.app.store.write() as connection:
        for query in queries:
            plan = [row["detail"] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
            for step in plan:
                words = step.split()
                scans = words[0] == "SCAN" and words[1] in ("posts", "p", "mentions", "m", "events", "discussions")
                assert not scans, f"{query}\n{plan}"


def test_whoever_is_told_sees_what_made_their_rule_fire(tmp_path: Path) -> None:
    """The loud voice, not only the worst words: those are another rule's."""
    world = World(tmp_path, thread=THREAD, loud=LOUD)
    angry(world, 3)
    world.say("acme is bad, says a star", author=Author(id="star", handle="star", followers=500_000))
    angry(world, 3)
    world.wait(seconds=31)
    with world.app.store.read() as connection:
        view = escalations.view(connection, 1)
    assert view.escalation.rule_id == "loud"
    assert view.mentions[0].post.author.handle == "star" and len(view.mentions) == 3
    world.app.close()
