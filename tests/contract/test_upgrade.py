"""A database that an earlier version wrote is brought up to date when it is opened, and what is alive in it goes on."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.acting import Acting
from monitor.app import App, load_config
from monitor.carry_out import act
from monitor.drill import place
from monitor.escalation.acts import Channel, Correct, Correction, Person, ReadGuideline
from monitor.escalation.events import Acknowledge, Resolve
from monitor.model import Outcome, State
from monitor.outgoing import MessageState
from monitor.store import Store, escalations, evidence, schema
from monitor.store.evidence import Subject
from monitor.store.outbox import Outbox
from tests.fakes.proofs import prove_all
from tests.fakes.sentiment import PlainWords
from tests.fakes.slack_server import TOKEN, SlackServer

NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)
#: What the first version stored of a post by @mario that mentions Acme, and of the escalation that it made.
FIRST = """
INSERT INTO posts (id, source, native_id, text, author_handle, author_followers, published_at, seen_at, language)
    VALUES (1, 'x', '1', 'Acme is down', 'mario', 1200, '{at}', '{at}', 'en');
INSERT INTO discussions (id, brand, key, source, title, started_at, last_at, mentions, negative)
    VALUES (1, 'Acme', 'x:1', 'x', 'Acme is down', '{at}', '{at}', 1, 1);
INSERT INTO mentions (id, post_id, brand, discussion_id, at, terms, snippet, score, confidence, label, model, topics)
    VALUES (1, 1, 'Acme', 1, '{at}', '["acme"]', 'Acme is down', -0.9, 0.95, 'negative', 'm', '["safety"]');
INSERT INTO escalations
    (id, brand, scope, discussion_id, rule_id, severity, state, tier, created_at, changed_at, opened_at)
    VALUES (1, 'Acme', 'discussion', 1, 'thread', 'high', 'open', 1, '{at}', '{at}', '{at}');
INSERT INTO escalation_rules (escalation_id, rule_id, title, severity, reasons, at, snapshot)
    VALUES (1, 'thread', 'Trouble', 'high', '[]', '{at}', '{{"file": "thread.yaml", "text": "", "team": "social",
        "channel": "#social", "notify": [], "clock": {{"wait_first": 30.0}}, "guideline": null}}');
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        old = Store(tmp_path / "b.db")
        with old.write() as connection:
            for statement in FIRST.format(at="2026-03-30T11:00:00.000000+00:00").split(";\n"):
                connection.execute(statement)
        old.close()
    return Store(tmp_path / "b.db")


def test_mentions_are_counted_as_before(store: Store) -> None:
    with store.read() as connection:
        (mention,) = evidence.counted(connection, Subject("Acme", 1), NOW - timedelta(days=1))
    assert (mention.source, mention.language, mention.author, mention.reach) == ("x", "en", "x:mario", 1200)
    assert (mention.score, mention.topics) == (-0.9, frozenset({"safety"}))


def test_what_is_alive_can_be_taken(store: Store) -> None:
    with store.write() as connection:
        escalation = escalations.by_id(connection, 1)
        assert escalation is not None
        act(connection, escalation, Acknowledge("ann"), "ann", NOW)
        assert escalations.by_id(connection, 1).state is State.ACKNOWLEDGED  # type: ignore[union-attr]


# -- a database in the midst of its work -------------------------------------------------------------------------

AT = "2026-03-30T10:01:00.000000+00:00"
SNAPSHOT = {
    "file": "thread.yaml", "text": "id: thread\n", "channel": "#brand-alerts", "repeat_at_most": 3, "hold": True,
    "tiers": [
        {"after": after, "team": team, "unless_acknowledged": False, "mention": False}
        for after, team in ((0.0, "social"), (1200.0, "leads"), (7200.0, "social"))
    ],
    "teams": {
        name: {
            "id": name, "channel": f"#{name}", "user_group": None, "members": members, "zone": None, "hours": None,
            "rota": None, "deputies": [],
        } for name, members in (("social", {"Anna": "U0000ANNA"}), ("leads", {}))
    },
    "times": {"wait_first": 30.0, "update_every": 600.0, "reopen_within": 21600.0, "repeat_after": 1800.0},
    "guideline": {
        "path": "playbooks/calm.md", "title": "Stay calm", "body": "Breathe.", "owner": "a@example.com",
        "approved_by": "board", "review_by": "2099-05-31", "version": "8c2f15ae",
    },
}  # fmt: skip
RULE = """\
id: thread
title: Trouble
owner: c@example.com
status: live
severity: high
match: {brands: [acme]}
negative_if: {sentiment: {at_most: -0.5}}
alert_when_any:
  - negative_mentions: {at_least: 1, within: 6h}
escalate: [{after: 0m, team: social}]
"""
#: state, tier, generation, and the timer that runs: its kind and when it is due.
ESCALATIONS = {
    1: ("open", 2, 1, "tier", "12:01:00"),
    2: ("acknowledged", 2, 2, "tier", "12:01:00"),
    3: ("snoozed", 1, 2, "snooze", "11:01:00"),
    4: ("resolved", 1, 2, None, ""),
    5: ("pending", 0, 0, "wait_first", "10:22:40"),
    6: ("dropped", 0, 1, None, ""),
}
TIER = "20m after the first message nobody has taken it: team leads is told (tier 2 of 3)."
#: What waited to be sent when the earlier version was stopped. Its sentences are finished, in English.
WAITING = (
    ("1:2:reply:1", "reply", "ready", "#social", 1, {"text": f"{TIER} Told in #leads.", "notify": [], "up_to": 1}),
    ("1:2:call:1", "call", "ready", "#leads", 1, {"text": f"{TIER} It is handled in #social.", "tier": 2}),
    ("2:2:update:1", "update", "ready", "#social", 2, {}),
    ("notice:1", "notice", "ready", "#social", None, {"text": "The mute of rule thread has ended."}),
    ("3:1:reply:1", "reply", "sending", "#social", 3, {"text": "It is back.", "notify": ["<@U0000ANNA>"]}),
)


def write_work(connection: sqlite3.Connection) -> None:
    """Six escalations, each in a state of its own and about a thread of its own, as the version before wrote them."""

    def insert(table: str, **values: object) -> None:
        marks = ", ".join("?" * len(values))
        connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", [*values.values()])

    for number, (state, tier, generation, timer, due) in ESCALATIONS.items():
        told = state not in ("pending", "dropped")
        insert("discussions", id=number, brand="Acme", key=f"f:{number}", source="f", title=f"Thread {number}",
               started_at=AT, last_at=AT, mentions=1, negative=1)  # fmt: skip
        insert("posts", id=number, source="f", native_id=str(number), text=f"Acme is bad in thread {number}",
               author_handle="mario", published_at=AT, seen_at=AT, conversation_id=str(number))  # fmt: skip
        insert("mentions", id=number, post_id=number, brand="Acme", discussion_id=number, at=AT, terms='["acme"]',
               snippet=f"Acme is bad in thread {number}", negative=0.94, neutral=0.04, positive=0.02,
               score=-0.92, confidence=0.94, label="negative",
               model="m", source="f", author="f:mario")  # fmt: skip
        insert("escalations", id=number, brand="Acme", scope="discussion", discussion_id=number, rule_id="thread",
               severity="high", state=state, tier=tier, generation=generation, created_at=AT, changed_at=AT,
               opened_at=AT if told else None, told_at=AT if told else None,
               acknowledged_by="ann" if state == "acknowledged" else None,
               assignee="ann" if state == "acknowledged" else None,
               acknowledged_at=AT if state == "acknowledged" else None,
               snoozed_until="2026-03-30T11:01:00.000000+00:00" if state == "snoozed" else None,
               outcome="answered" if state == "resolved" else None)  # fmt: skip
        insert("escalation_rules", escalation_id=number, rule_id="thread", title="Trouble", severity="high",
               reasons='[{"name": "negative_mentions", "asked": "at least 1 within 6h", "found": "1", "holds": true}]',
               at=AT, snapshot=json.dumps(SNAPSHOT))  # fmt: skip
        if timer:
            due_at = f"2026-03-30T{due}.000000+00:00"
            insert("timers", escalation_id=number, kind=timer, generation=generation, due_at=due_at)
        if told:
            insert("outbox", op_key=f"{number}:1:root:1", kind="root", state="sent", channel="#social", severity="high",
                   severity_rank=2, escalation_id=number, payload=json.dumps({"up_to": number, "notify": []}),
                   created_at=AT, not_before=AT, sent_at=AT, sent_channel="C0SOCIAL", sent_ts=f"{number}.000100",
                   attempts=1)  # fmt: skip
    for key, kind, state, channel, escalation, payload in WAITING:
        insert("outbox", op_key=key, kind=kind, state=state, channel=channel, severity="high", severity_rank=2,
               escalation_id=escalation, payload=json.dumps(payload), created_at=AT, not_before=AT,
               floor_at=AT if state == "sending" else None)  # fmt: skip
    insert("mutes", rule_id="other", since=AT, until="2026-04-30T10:00:00.000000+00:00", who="ann", origin="command")
    insert("labels", mention_id=4, label="negative", who="ann", at=AT)
    targets = dict.fromkeys(("called", "acknowledged", "guideline", "answered", "resolved"), 900.0)
    drill = {"title": "A drill", "brand": "Acme", "targets": targets, "posts": 6, "channel": "#social",
             "calls_people": True, "keep_hours": False, "speed": 1.0}  # fmt: skip
    insert("facts", name="drill", value=json.dumps(drill), at=AT)


class Working:
    """The new version on the old database, in a Slack where its messages stand; it is half past ten."""

    def __init__(self, folder: Path, slack: SlackServer, language: str = "en") -> None:
        self.slack, self.now = slack, datetime(2026, 3, 30, 10, 30, tzinfo=UTC)
        slack.channels, slack.now = {"social": "C0SOCIAL", "leads": "C0LEADS0"}, self.now.timestamp
        for number in range(1, 5):
            slack.put("social", f"{number}.000100", "as it was")
        (folder / "rules").mkdir()
        (folder / "rules" / "teams.yaml").write_text('social: {channel: "#social"}\n', "utf-8")
        (folder / "rules" / "thread.yaml").write_text(RULE, "utf-8")
        prove_all(folder / "rules")
        text = f"brands: [{{name: Acme, terms: [acme]}}]\nrules: rules/\nstore: b.db\nlanguage: {language}\n"
        (folder / "monitor.yaml").write_text(f"{text}slack: {{channel: '#social', api_url: '{slack.url}'}}\n", "utf-8")
        self.app = App(load_config(folder / "monitor.yaml"), model=PlainWords(), clock=lambda: self.now)

    def until(self, hour: int, minute: int = 0) -> None:
        end = self.now.replace(hour=hour, minute=minute)
        while self.now < end:
            while self.app.settle() or (due := self.app.delivery.step(self.now)) == self.now:
                pass
            self.now = min(end, max(due or end, self.now + timedelta(seconds=1)), self.now + timedelta(seconds=30))

    def said(self, channel: str) -> list[str]:
        return [post["text"] for post in self.slack.posts(channel)]

    def states(self) -> dict[int, str]:
        return self._of("state")

    def tiers(self) -> dict[int, int]:
        return self._of("tier")

    def _of(self, column: str) -> dict[int, Any]:
        with self.app.store.read() as connection:
            return {id: value for id, value in connection.execute(f"SELECT id, {column} FROM escalations")}


@pytest.fixture
def working(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Working]]:
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:2])
        old = Store(tmp_path / "b.db")
        with old.write() as connection:
            write_work(connection)
        old.close()
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-test-token")
    with SlackServer() as slack:
        made: list[Working] = []

        def make(language: str = "en") -> Working:
            made.append(Working(tmp_path, slack, language))
            return made[-1]

        yield make
        for one in made:
            one.app.close()


def test_what_waited_is_sent_once(working: Callable[..., Working]) -> None:
    """What was being sent when the earlier version ended is looked for first, then sent."""
    at_work = working()
    at_work.until(10, 40)
    replies = [post["text"] for post in at_work.slack.posts("social") if post.get("thread_ts")]
    assert sum(f"{TIER} Told in #leads." in text for text in replies) == 1
    assert sum("It is back." in text for text in replies) == 1
    assert at_work.said("social").count("The mute of rule thread has ended.") == 1
    assert len([text for text in at_work.said("leads") if "Thread 1" in text]) == 1
    with at_work.app.store.read() as connection:
        waiting = {state: count for state, count in Outbox(connection).counts().items() if count}
    assert set(waiting) == {MessageState.SENT}


def test_messages_that_stood_there_become_new_ones(working: Callable[..., Working]) -> None:
    at_work = working("it")
    at_work.until(10, 40)
    shown = at_work.said("social")[1]
    assert "Presa in carico" in shown and "Thread 2" in json.dumps(at_work.slack.posts("social")[1]["blocks"])
    assert "resolve:2:" in json.dumps(at_work.slack.posts("social")[1]["blocks"])
    assert at_work.said("social")[3] == "as it was", "nothing has happened to what is resolved"


def test_timers_go_off_when_they_are_due(working: Callable[..., Working]) -> None:
    at_work = working()
    at_work.until(11, 5)
    states = {1: "open", 2: "acknowledged", 3: "open", 4: "resolved", 5: "open", 6: "dropped"}
    assert at_work.states() == states
    assert at_work.tiers() == {1: 2, 2: 2, 3: 1, 4: 1, 5: 2, 6: 0}
    at_work.until(12, 5)
    assert at_work.tiers() == {1: 3, 2: 3, 3: 2, 4: 1, 5: 2, 6: 0}


def test_people_go_on_with_it_from_slack(working: Callable[..., Working]) -> None:
    at_work = working()
    acting, ann = Acting(at_work.app.store, at_work.app.rules), Person("Anna", Channel.SLACK, "U0000ANNA")
    assert acting.act(1, Acknowledge("Anna"), ann, at_work.now).changed
    assert acting.act(2, Correct("Anna", Correction.NOT_NEGATIVE, (2,)), ann, at_work.now).corrected == 1
    assert acting.act(3, ReadGuideline("Anna"), ann, at_work.now).changed
    assert acting.act(5, Resolve("Anna", Outcome.NO_ACTION), ann, at_work.now).changed
    at_work.until(10, 40)
    assert at_work.states() == {
        1: "acknowledged",
        2: "resolved",
        3: "snoozed",
        4: "resolved",
        5: "resolved",
        6: "dropped",
    }


def test_the_report_of_a_drill_can_be_read(working: Callable[..., Working]) -> None:
    at_work = working()
    assert place.read_report(at_work.app.store, at_work.now).course.title == "A drill"
    setup = place.setup_of(at_work.app.store)
    assert setup is not None and setup.channel == "#social" and not setup.install
