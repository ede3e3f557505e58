"""Posts in, one alert a discussion out: ingest, rules, escalations and outbox together on a real database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.app import App
from monitor.carry_out import act
from monitor.config import parse_config
from monitor.escalation.machine import Acknowledge, Resolve
from monitor.model import Author, MessageKind, Outcome, Post, State
from monitor.store import escalations, sources
from tests.fakes.sentiment import PlainWords

NOW = datetime(2026, 3, 30, 10, tzinfo=UTC)

CONFIG = """\
brands:
  - {name: Acme, terms: [acme], own_accounts: {"*": [acme_help]}}
  - {name: Globex, terms: [globex], competitor: true}
slack: {channel: "#alerts"}
rules: rules/
store: b.db
"""
TEAMS = """\
social: {channel: "#social"}
"""
THREAD = """\
id: thread
title: Negative discussion about {brand}
owner: c@example.com
status: live
severity: high
match: {brands: [acme]}
negative_if: {sentiment: {at_most: -0.5}}
escalate: [{after: 0m, team: social}]
alert_when_any:
  - negative_mentions: {at_least: 3, within: 60m}
timing: {wait_first: 30s, update_every: 60s, reopen_within: 6h}
"""
LOUD = """\
id: loud
title: A loud voice against {brand}
owner: c@example.com
status: live
severity: critical
match: {brands: [acme]}
negative_if: {sentiment: {at_most: -0.5}}
escalate: [{after: 0m, team: social}]
alert_when_any:
  - author_reach: {at_least: 100000}
timing: {wait_first: 30s}
"""


class World:
    """An application over real files whose clock the test moves."""

    def __init__(self, folder: Path, **rules: str) -> None:
        self.folder, self.now, self.posted = folder, NOW, 0
        (folder / "rules").mkdir(exist_ok=True)
        for name, text in {"teams": TEAMS, **rules}.items():
            (folder / "rules" / f"{name}.yaml").write_text(text, "utf-8")
        (folder / "monitor.yaml").write_text(CONFIG, "utf-8")
        self.app = self.opened()

    def opened(self) -> App:
        config = parse_config(CONFIG, self.folder / "monitor.yaml")
        return App(config, model=PlainWords(), clock=lambda: self.now)

    def say(self, text: str, *, after: timedelta = timedelta(seconds=1), **values: object) -> None:
        """Somebody says something in thread t1, now or as told."""
        self.now += after
        self.posted += 1
        given = {"source": "forum", "native_id": f"p{self.posted}", "text": text, "published_at": self.now,
                 "conversation_id": "t1", "author": Author(id=str(self.posted))}  # fmt: skip
        self.app.take([Post(**{**given, **values})])  # type: ignore[arg-type]

    def wait(self, **length: float) -> None:
        self.now += timedelta(**length)
        self.app.settle()

    def states(self) -> list[State]:
        with self.app.store.read() as connection:
            return [e.state for e in reversed(escalations.having_state(connection, tuple(State)))]

    def messages(self) -> list[tuple[MessageKind, str]]:
        with self.app.store.read() as connection:
            rows = connection.execute("SELECT kind, severity FROM outbox ORDER BY id").fetchall()
        return [(MessageKind(row[0]), row[1]) for row in rows]

    def kinds(self) -> list[str]:
        return [kind.value for kind, _ in self.messages()]

    def act(self, event: object) -> None:
        with self.app.store.write() as connection:
            escalation = escalations.by_id(connection, 1)
            assert escalation is not None
            act(connection, escalation, event, "ann", self.now)  # type: ignore[arg-type]

    def told(self) -> None:
        """Everything that waits has reached the channel."""
        with self.app.store.write() as connection:
            connection.execute("UPDATE outbox SET state = 'sent'")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, thread=THREAD, loud=LOUD)
    yield made
    made.app.close()


def angry(world: World, times: int = 3) -> None:
    for _ in range(times):
        world.say("acme is bad")


def test_one_alert_a_discussion(world: World) -> None:
    angry(world, 2)
    assert world.states() == []
    angry(world, 5)
    assert (world.states(), world.kinds()) == ([State.PENDING], [])
    world.wait(seconds=31)
    assert (world.states(), world.kinds()) == ([State.OPEN], ["root"])
    angry(world, 5)
    world.wait(seconds=61)
    assert (world.states(), world.kinds()) == ([State.OPEN], ["root", "reply", "update"])


def test_friendly_and_neutral_words_do_not_alert(world: World) -> None:
    for text in ("acme is great", "acme opens at nine", "globex is bad", "nobody named here is bad"):
        for _ in range(4):
            world.say(text)
    world.wait(minutes=5)
    assert world.states() == []


def test_a_reply_without_the_name_counts_in_a_thread_about_the_brand(world: World) -> None:
    world.say("what is wrong with acme?", native_id="t1")
    for _ in range(3):
        world.say("it is bad, really bad", parent_id="t1")
    world.wait(seconds=31)
    assert world.states() == [State.OPEN]


def test_a_reply_in_a_thread_about_something_else_does_not_count(world: World) -> None:
    world.say("let us talk about the weather", native_id="t1")
    world.say("acme opens at nine", parent_id="t1", native_id="aside")
    for _ in range(3):
        world.say("the weather is bad", parent_id="t1")
    assert world.states() == []


def test_our_own_answer_is_an_answer_and_never_alerts(world: World) -> None:
    angry(world)
    world.wait(seconds=31)
    world.say("we are sorry, bad luck", author=Author(handle="@Acme_Help"))
    with world.app.store.read() as connection:
        found = escalations.view(connection, 1).discussion
    assert found is not None and (found.answers, found.mentions, found.negative) == (1, 3, 3)


def test_a_backlog_is_history_not_news(world: World) -> None:
    for day in range(10):
        world.say("acme is bad", published_at=NOW - timedelta(days=3, minutes=day))
    world.wait(minutes=1)
    assert world.states() == []


def test_late_posts_alert_all_the_same(world: World) -> None:
    """A feed read after hours of outage: what happened within an hour then is a negative discussion now."""
    for minute in range(3):
        world.say("acme is bad", published_at=NOW - timedelta(hours=5, minutes=minute))
    world.wait(seconds=31)
    assert world.states() == [State.OPEN]


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
        ("root", "#social"), ("reply", "#social"), ("update", "#social"), ("notice", "#legal"),
    ]  # fmt: skip
    assert json.loads(rows[1]["payload"])["notify"] == ["S0123456789"], "the graver rule's people are called"
    assert "It is handled in #social (escalation 1)" in json.loads(rows[3]["payload"])["text"]
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


def test_what_we_publish_first_answers_nobody(world: World) -> None:
    world.say("acme has news for you", native_id="t1", author=Author(handle="acme_help"))
    world.say("that is bad", parent_id="t1")
    world.say("we will look into it", parent_id="t1", author=Author(handle="acme_help"))
    with world.app.store.read() as connection:
        talk = escalations.discussion(connection, 1)
    assert talk is not None and (talk.answers, talk.mentions) == (1, 1)


def test_an_escalation_that_cannot_be_decided_holds_up_no_other(world: World) -> None:
    angry(world)
    for _ in range(3):
        world.say("acme is bad", conversation_id="t2")
    with world.app.store.write() as connection:
        connection.execute("UPDATE escalation_rules SET snapshot = '{}' WHERE escalation_id = 1")
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


def test_a_test_rule_is_recorded_and_never_posted(tmp_path: Path) -> None:
    world = World(tmp_path, thread=THREAD.replace("status: live", "status: test"))
    angry(world, 6)
    world.wait(minutes=5)
    assert (world.states(), world.kinds()) == ([], [])
    with world.app.store.read() as connection:
        (event,) = connection.execute("SELECT who, what, why FROM events WHERE who LIKE 'rule %'").fetchall()
    assert tuple(event)[:2] == ("rule thread", "would have alerted") and "negative_mentions: 3" in event["why"]
    world.app.close()


def test_an_edit_does_not_alert_again(world: World) -> None:
    for number in range(2):
        world.say("acme is bad", native_id=f"e{number}")
    for number in range(2):
        world.say("acme is really bad", native_id=f"e{number}")
    world.wait(minutes=1)
    assert world.states() == []


def test_what_no_longer_names_the_brand_is_no_mention(world: World) -> None:
    for number in range(3):
        world.say("acme is bad", native_id=f"e{number}")
    for number in range(3):
        world.say("globex is bad", native_id=f"e{number}")
    world.wait(seconds=31)
    assert world.states() == [State.DROPPED]
    with world.app.store.read() as connection:
        talk = escalations.discussion(connection, 1)
    assert talk is not None and (talk.mentions, talk.negative) == (0, 0)


def test_a_spike_across_many_small_discussions(tmp_path: Path) -> None:
    spike = THREAD.replace("id: thread", "id: spike").replace(
        "  - negative_mentions: {at_least: 3, within: 60m}",
        "  - spike: {times: 3, within: 1h, baseline: 7d, minimum_now: 5, minimum_baseline: 10}",
    )
    world = World(tmp_path, spike=spike + "scope: brand\n")
    for hour in range(24 * 7, 0, -12):
        world.say("acme is bad", published_at=NOW - timedelta(hours=hour), conversation_id=f"old{hour}")
    assert world.states() == []
    for number in range(8):
        world.say("acme is bad", conversation_id=f"new{number}", after=timedelta(seconds=10))
    world.wait(seconds=31)
    world.wait(seconds=31)
    assert world.states() == [State.OPEN]
    with world.app.store.read() as connection:
        (reason,) = escalations.view(connection, 1).rules[0].reasons
    assert reason.name == "spike"
    world.app.close()


def test_brand_wide_rules_hear_of_what_another_process_took_in(tmp_path: Path) -> None:
    rule = THREAD.replace("id: thread", "id: wide") + "scope: brand\n"
    world = World(tmp_path, wide=rule)
    world.wait(seconds=1)
    other = world.opened()
    for number in range(4):
        post = Post("forum", f"x{number}", "acme is bad", world.now, conversation_id=f"c{number}")
        other.take([post])
    other.close()
    world.wait(seconds=31)
    assert world.states() == [State.PENDING]
    world.wait(seconds=31)
    with world.app.store.read() as connection:
        view = escalations.view(connection, 1)
    assert view.counts == {"mentions": 4, "negative": 4} and len(view.mentions) == 3
    world.app.close()


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


def test_the_cursor_stands_only_with_its_posts(world: World) -> None:
    def fails(connection: object) -> None:
        raise KeyboardInterrupt

    post = Post("forum", "1", "acme is bad", NOW)
    with pytest.raises(KeyboardInterrupt):
        world.app.take([post], fails)
    with world.app.store.read() as connection:
        assert connection.execute("SELECT count(*) FROM posts").fetchone()[0] == 0
        assert sources.cursor_of(connection, "feed:a") == {}


def test_broken_rules_leave_the_last_good_ones_in_force(world: World) -> None:
    world.app.note_rules()
    world.app.close()
    (world.folder / "rules" / "thread.yaml").write_text("id: [broken\n", "utf-8")
    world.app = world.opened()
    world.app.note_rules()
    angry(world)
    assert world.states() == [State.PENDING]
    with world.app.store.read() as connection:
        problem = connection.execute("SELECT value FROM facts WHERE name = 'rules_problem'").fetchone()[0]
    assert "thread.yaml:1" in json.loads(problem)
