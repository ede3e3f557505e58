"""Whatever people, mentions, clocks, mutes, storms and crashes do together: nothing is lost, nothing is said twice.

Random days are played through the production services; then everything comes to rest and is looked at.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor import storms
from monitor.acting import Acting
from monitor.deliver import Delivery
from monitor.escalate import Escalate, reroute
from monitor.escalation.acts import Act, Correct, Correction, Done, Person
from monitor.escalation.acts import Channel as By
from monitor.escalation.events import Acknowledge, Assign, HandOver, Reason, Resolve, Snooze
from monitor.escalation.machine import ALIVE
from monitor.model import Author, Escalation, Finding, Outcome, Post, Sentiment, State
from monitor.outgoing import MessageKind, MessageState, OutboxMessage
from monitor.render import Renderer
from monitor.rules.load import RuleSet, load_rules
from monitor.slack import facts
from monitor.store import Store, escalations, mentions, mutes
from monitor.store.outbox import Outbox
from monitor.wording.catalogs import words
from tests.fakes.channel import Channel
from tests.fakes.power import FailingStore, PowerCut

#: A Monday morning.
START = datetime(2026, 3, 30, 8, tzinfo=UTC)
RULE = """\
id: {id}
title: Trouble
owner: ada@example.com
status: live
severity: {severity}
match: {{brands: [acme]}}
negative_if: {{sentiment: {{at_most: -0.5}}}}
alert_when_any: [{alert}]
timing: {{wait_first: {wait}, update_every: 60s, repeat_after: 2h, repeat_at_most: 2, reopen_within: 3h}}
escalate:
  - {{after: 0m, team: {team}, mention: true}}
  - {{after: 20m, unless: acknowledged, team: leads, mention: true}}
  - {{after: 50m, unless: answered, team: social}}
acknowledged: {{remind_after: 1h, reopen_after: 5h}}
"""
TWO, LOUD = "negative_mentions: {at_least: 2, within: 60m}", "author_reach: {at_least: 1000}"
BRAND = RULE.format(id="brand", severity="low", alert=TWO.replace("2", "4"), wait="30s", team="leads")
TEAMS = """\
social: {{channel: "#social", members: {{anna: U0000000001}}, zone: Europe/Rome{hours}}}
leads: {{channel: "#leads", members: {{dora: U0000000002}}}}
legal: {{channel: "{legal}", members: {{lea: U0000000003}}}}
"""
FILES = {
    "quiet.yaml": RULE.format(id="quiet", severity="medium", alert=TWO, wait="30s", team="social"),
    "grave.yaml": RULE.format(id="grave", severity="critical", alert=LOUD, wait="0s", team="leads"),
    "brand.yaml": BRAND.replace("match:", "scope: brand\nmatch:"),
    "teams.yaml": TEAMS.format(hours="", legal="#legal"),
}
CLOSED = TEAMS.format(hours=', hours: {open: {mon-fri: "13:00-18:00"}}', legal="#leads")
RULES = load_rules(FILES, ["Acme"])
OTHERS = load_rules({**FILES, "teams.yaml": CLOSED}, ["Acme"])
FEWER = load_rules({name: text for name, text in FILES.items() if name != "grave.yaml"}, ["Acme"])
PEOPLE = [Person("anna", By.SLACK, "U0000000001"), Person("dora", By.COMMAND_LINE)]
ANGRY, KIND = Sentiment(0.95, 0.05, 0.0, "test"), Sentiment(0.0, 0.2, 0.8, "test")


@dataclass
class Day:
    """All services on a database in memory and a channel in memory."""

    store: Store = field(default_factory=Store.in_memory)
    slack: Channel = field(default_factory=Channel)
    now: datetime = START
    rules: RuleSet = RULES
    posts: int = 0

    def __post_init__(self) -> None:
        self.slack.posting = self._posting
        self.renderer = Renderer("here", buttons=True)
        self._escalate = Escalate(self.rules, "#social", ["Acme"])
        self.delivery = self._delivery()

    def _delivery(self, store: Any = None) -> Delivery:
        return Delivery(store or self.store, self.slack, fallback_channel="#fallback", renderer=self.renderer)

    def _posting(self, outbox_id: int) -> None:
        with self.store.read() as connection:
            message = Outbox(connection).get(outbox_id)
            if message.kind in (MessageKind.ROOT, MessageKind.CALL, MessageKind.REPLY):
                about = escalations.by_id(connection, message.escalation_id or 0)
                assert about is not None
                assert mutes.muted_until(connection, about.rule_id, self.now) is None, "a mute is kept"
            if message.kind is MessageKind.CALL:
                assert about is not None and about.opened_at is not None

    # -- what happens --------------------------------------------------------------------------------------------

    def say(self, discussion: str, sentiment: Sentiment | None, reach: int = 10, number: int = 0) -> None:
        """A new post, or with a `number` other words for an older one; without a sentiment one of ours."""
        self.posts += 0 if number else 1
        number = number or self.posts
        post = Post("forum", str(number), f"acme {self.now.isoformat()}", self.now, author=Author(id=f"a{number % 5}",
                    followers=reach), title=discussion, conversation_id=discussion)  # fmt: skip
        finding = Finding("Acme", ("acme",), post.text, (), sentiment is None, sentiment)
        with self.store.write() as connection:
            stored = mentions.save(connection, post, [finding], self.now)
            self._escalate.consider(connection, stored.added, stored.answered, self.now)

    def edit(self, number: int, sentiment: Sentiment | None) -> None:
        """Other words, or the brand's name taken out."""
        with self.store.write() as connection:
            row = connection.execute(
                "SELECT title, conversation_id FROM posts WHERE native_id = ?", [number]
            ).fetchone()
            if row is None:
                return
            post = Post("forum", str(number), f"acme, edited {self.now.isoformat()}", self.now, title=row["title"],
                        conversation_id=row["conversation_id"])  # fmt: skip
            findings = [Finding("Acme", ("acme",), post.text, (), False, sentiment)] if sentiment else []
            mentions.save(connection, post, findings, self.now)

    def act(self, escalation: Escalation, act: Act, who: Person, crash: int = 0) -> Done:
        """Done, or killed at the n-th commit and then done again, as whoever kept the click does."""
        if crash:
            with suppress(PowerCut):
                when = "before" if crash % 2 else "after"
                dying: Any = FailingStore(self.store, ((crash + 1) // 2, when))
                Acting(dying, self.rules).act(escalation.id, act, who, self.now)
        before = self._last_message()
        done = Acting(self.store, self.rules).act(escalation.id, act, who, self.now)
        if isinstance(act, HandOver) and done.reason is Reason.HANDED_OVER:
            with self.store.read() as connection:
                query = "SELECT payload FROM outbox WHERE id > ? AND kind <> 'update'"
                said = [json.loads(row[0]) for row in connection.execute(query, [before])]
            (member,) = self.rules.teams[act.team].members.values()
            assert [one for one in said if member in one.get("notify", ())], "the new team is called at once"
        return done

    def _last_message(self) -> int:
        with self.store.read() as connection:
            return int(connection.execute("SELECT coalesce(max(id), 0) FROM outbox").fetchone()[0])

    def settle(self, crash: int = 0) -> None:
        self._escalate.judge_brands(self.store, self.now)
        with self.store.write() as connection:
            self._escalate.fire_timers(connection, self.now)
        if crash:
            dying = self._delivery(FailingStore(self.store, ((crash + 1) // 2, "before" if crash % 2 else "after")))
            with suppress(PowerCut):
                while (wake := dying.step(self.now)) is not None and wake <= self.now:
                    pass
            self.delivery = self._delivery()
        while (wake := self.delivery.step(self.now)) is not None and wake <= self.now:
            pass

    def passes(self, length: timedelta) -> None:
        until = self.now + length
        while self.now < until:
            due = self._next_due()
            self.now = min(until, max(self.now + timedelta(seconds=1), due)) if due else until
            self.settle()

    def _next_due(self) -> datetime | None:
        wake = self.delivery.step(self.now)
        with self.store.read() as connection:
            timer = escalations.next_timer(connection)
        return min((at for at in (wake, timer) if at), default=None)

    def reload(self, rules: RuleSet) -> None:
        self.rules, self._escalate = rules, Escalate(rules, "#social", ["Acme"])
        with self.store.write() as connection:
            reroute(connection, rules.teams, self.now)
        self.delivery.retry_blocked(self.now)

    # -- what is looked at ---------------------------------------------------------------------------------------

    def all(self) -> list[Escalation]:
        with self.store.read() as connection:
            return sorted(escalations.having_state(connection, tuple(State)), key=lambda one: one.id)

    def look(self) -> None:
        """What holds at any time."""
        with self.store.read() as connection:
            _counts_are_those_of_the_mentions(connection)
            _each_correction_is_one_label(connection)
            alive = {one.id: one for one in self.all() if one.state in ALIVE}
            for row in connection.execute("SELECT * FROM timers").fetchall():
                if row["kind"] not in ("bundle", "hold"):
                    assert row["escalation_id"] in alive, "timers of what is alive only"
                    assert row["generation"] == alive[row["escalation_id"]].generation

    def look_at_rest(self) -> None:
        """What holds once everything that waited has been sent."""
        with self.store.read() as connection:
            outbox = Outbox(connection)
            ids = [row[0] for row in connection.execute("SELECT id FROM outbox ORDER BY id")]
            messages = {id: outbox.get(id) for id in ids}
            waiting = [one for one in messages.values() if one.state not in (MessageState.SENT, MessageState.FOLDED)]
            assert waiting == [], "everything is sent"
            posted = Counter(one.outbox_id for one in self.slack.messages.values())
            assert max(posted.values(), default=1) == 1, "nothing is said twice"
            for escalation in self.all():
                self._look_at(
                    connection, escalation, [m for m in messages.values() if m.escalation_id == escalation.id]
                )

    def _look_at(self, connection: sqlite3.Connection, escalation: Escalation, messages: list[OutboxMessage]) -> None:
        roots = [one for one in messages if ":root:" in one.op_key]
        assert len(roots) <= 1, "one first message"
        if escalation.opened_at is not None:
            assert len(roots) == 1 and escalation.told_at is not None, "whoever opened is told"
        who = (escalation.assignee if escalation.state in ALIVE else escalation.resolved_by) or ""
        for ts, standing in self.slack.messages.items():
            message = Outbox(connection).get(standing.outbox_id)
            if message.escalation_id != escalation.id or message.kind not in (MessageKind.ROOT, MessageKind.CALL):
                continue
            shown = json.dumps(standing.message.blocks, ensure_ascii=False)
            assert facts.subject(escalation, words()) in shown, f"{ts} shows how it stands"
            assert who in shown
            assert ('"button"' in shown) == (escalation.state in ALIVE), "buttons as long as it is alive"
        folded = [one for one in messages if one.state is MessageState.FOLDED and one.kind is MessageKind.ROOT]
        for root in folded:
            assert root.sent_channel, "whoever is folded is told"


def _counts_are_those_of_the_mentions(connection: sqlite3.Connection) -> None:
    for row in connection.execute("SELECT * FROM discussions").fetchall():
        found = connection.execute(
            "SELECT count(*), coalesce(sum(label = 'negative'), 0) FROM mentions"
            " WHERE discussion_id = ? AND NOT answer AND NOT dismissed",
            [row["id"]],
        ).fetchone()
        assert (row["mentions"], row["negative"]) == tuple(found)
        assert row["reach"] >= 0 and row["authors"] >= 0


def _each_correction_is_one_label(connection: sqlite3.Connection) -> None:
    last: dict[int, str] = {}
    for row in connection.execute("SELECT * FROM labels WHERE NOT outdated ORDER BY id").fetchall():
        assert last.get(row["mention_id"]) != row["correction"], "the same said twice is one label"
        last[row["mention_id"]] = row["correction"]


MINUTES = st.integers(1, 90).map(lambda minutes: timedelta(minutes=minutes))
TALK = st.sampled_from(["a", "b", "c", "d"])
STEPS = st.one_of(
    st.tuples(st.just("say"), TALK, st.sampled_from([ANGRY, ANGRY, ANGRY, KIND]), st.sampled_from([10, 10, 10, 5000])),
    st.tuples(st.just("say"), TALK, st.just(ANGRY), st.just(10)),
    st.tuples(st.just("storm"), st.integers(3, 6)),
    st.tuples(st.just("answer"), TALK),
    st.tuples(st.just("edit"), st.integers(1, 20), st.sampled_from([ANGRY, KIND, None])),
    st.tuples(st.just("act"), st.integers(0, 9), st.integers(0, 1), st.integers(0, 11), st.integers(0, 6)),
    st.tuples(st.just("act"), st.integers(0, 9), st.integers(0, 1), st.integers(0, 11), st.integers(0, 6)),
    st.tuples(st.just("wait"), MINUTES),
    st.tuples(st.just("seconds"), st.integers(1, 40)),
    st.tuples(st.just("mute"), st.sampled_from(["quiet", "grave", "brand"]), st.integers(1, 4)),
    st.tuples(st.just("unmute"), st.sampled_from(["quiet", "grave", "brand"])),
    st.tuples(st.just("reload"), st.sampled_from([0, 1, 2])),
    st.tuples(st.just("killed"), st.integers(1, 8)),
    st.tuples(st.just("fault"), st.sampled_from(["answer lost", "lost", "refused"])),
    st.tuples(st.just("show"), st.integers(0, 9)),
)


def _act(number: int, who: Person, now: datetime, seen: tuple[int, ...]) -> Act:
    acts: list[Act] = [
        Acknowledge(who.name), Assign(who.name, "dora"), Snooze(who.name, now + timedelta(hours=1)),
        HandOver(who.name, "legal"), HandOver(who.name, "social"), HandOver(who.name, "leads"),
        Resolve(who.name, Outcome.ANSWERED), Correct(who.name, Correction.NOT_NEGATIVE, seen),
        Correct(who.name, Correction.NOT_ABOUT_US, seen), Correct(who.name, Correction.NEGATIVE, seen),
        Correct(who.name, Correction.NOT_NEGATIVE), Correct(who.name, Correction.NEGATIVE),
    ]  # fmt: skip
    return acts[number]


def play(day: Day, steps: list[tuple[Any, ...]]) -> None:
    for step in steps:
        match step:
            case ("say", discussion, sentiment, reach):
                day.say(discussion, sentiment, reach)
            case ("storm", count):
                for number in range(count):
                    day.say(f"storm {number}", ANGRY)
                    day.say(f"storm {number}", ANGRY)
            case ("answer", discussion):
                day.say(discussion, None)
            case ("edit", number, sentiment):
                day.edit(number, sentiment)
            case ("act", which, who, what, crash):
                if found := day.all():
                    escalation, person = found[-1 - which % len(found)], PEOPLE[who]
                    with day.store.read() as connection:
                        seen = tuple(one.id for one in escalations.view(connection, escalation.id).mentions)
                    day.act(escalation, _act(what, person, day.now, seen), person, crash)
            case ("wait", length):
                day.passes(length)
            case ("seconds", length):
                day.passes(timedelta(seconds=length))
            case ("mute", rule, hours):
                with day.store.write() as connection:
                    mutes.add(connection, mutes.Mute(rule, day.now, day.now + timedelta(hours=hours), "ann"))
            case ("unmute", rule):
                with day.store.write() as connection:
                    mutes.end(connection, rule, day.now)
            case ("reload", which):
                day.reload([RULES, OTHERS, FEWER][which])
            case ("killed", crash):
                day.settle(crash)
            case ("fault", kind):
                day.slack.faults.append(kind)
            case ("show", which):
                if found := day.all():
                    with day.store.write() as connection:
                        Outbox(connection).unfold(found[which % len(found)].id, day.now)
        day.look()
    day.slack.faults.clear()
    day.passes(timedelta(hours=8))
    day.passes(timedelta(hours=40))
    day.look()
    day.look_at_rest()
    _all_was_a_mistake(day)
    day.passes(timedelta(minutes=10))
    day.look()
    day.look_at_rest()


def _all_was_a_mistake(day: Day) -> None:
    """Of each discussion that is still alive, every mention was not about us."""
    for escalation in day.all():
        if escalation.state not in ALIVE or escalation.discussion_id is None:
            continue
        with day.store.read() as connection:
            query = "SELECT id FROM mentions WHERE discussion_id = ? AND NOT answer"
            ids = tuple(row[0] for row in connection.execute(query, [escalation.discussion_id]))
        if not ids:
            continue
        done = day.act(escalation, Correct("anna", Correction.NOT_ABOUT_US, ids), PEOPLE[0])
        assert (done.escalation.state, done.escalation.outcome) == (State.RESOLVED, Outcome.NOT_ABOUT_US)
        with day.store.read() as connection:
            query = "SELECT mentions, negative FROM discussions WHERE id = ?"
            assert tuple(connection.execute(query, [escalation.discussion_id]).fetchone()) == (0, 0)


@pytest.mark.parametrize("storm", [1, 10], ids=["storms", "one by one"])
@given(steps=st.lists(STEPS, min_size=5, max_size=30))
@settings(max_examples=25, deadline=None, suppress_health_check=[*HealthCheck])
def test_whatever_happens(monkeypatch: pytest.MonkeyPatch, storm: int, steps: list[tuple[Any, ...]]) -> None:
    monkeypatch.setattr(storms, "STORM", storm)
    day = Day()
    try:
        play(day, steps)
    finally:
        day.store.close()
