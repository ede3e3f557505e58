"""A world in which rules run in simulated time: the production evaluator, state machine, outbox and delivery.

The database lies in memory and the channel is a list; all else is what the daemon runs. Nobody sleeps: time jumps from
one thing that is due to the next, so that months take milliseconds. Which tests there are and what their results say of
the rules is the business of `monitor.prove`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from monitor.acting import Acting
from monitor.carry_out import kept_by
from monitor.deliver import Delivery
from monitor.errors import MonitorError
from monitor.escalate import BRAND_EVERY, Escalate
from monitor.escalation.acts import Act, Channel, Correct, Correction, Person
from monitor.escalation.events import Acknowledge, Assign, HandOver, Reason, Resolve, Snooze
from monitor.escalation.machine import ALIVE
from monitor.escalation.storm import Crowd
from monitor.model import Author, Escalation, Finding, Outcome, Post, Scope, Sentiment, State
from monitor.outgoing import MessageKind
from monitor.rules.load import RuleSet
from monitor.rules.testing.results import Moment, MomentKind
from monitor.rules.testing.testcase import Button, Click, Expectation, Mute, Said
from monitor.slack.messages import Delivered, Message
from monitor.store import Store, escalations, mentions, mutes
from monitor.store.outbox import Outbox
from monitor.wording.text import english, texts_from_json

#: Where rules go whose team is gone; no test has such a rule.
CHANNEL = "#brand-alerts"


class Tape:
    """The channel of a simulation: every message arrives at once and is noted."""

    server_time: datetime | None = None

    def __init__(self) -> None:
        self.arrived: list[int] = []

    def post(self, message: Message, channel: str, *, thread_ts: str | None, outbox_id: int) -> Delivered:
        self.arrived.append(outbox_id)
        return Delivered(channel, str(outbox_id))

    def update(self, message: Message, channel: str, ts: str) -> Delivered:
        return Delivered(channel, ts)

    def find(self, channel: str, *, outbox_id: int, oldest: datetime, thread_ts: str | None) -> Delivered | None:
        return None


class Scripted(Sentiment):
    """A judgement as a test gives it: its score and confidence need not be those of one and the same model."""

    __slots__ = ("_given",)
    _given: tuple[float, float]

    def __init__(self, score: float, confidence: float) -> None:
        negative, positive = max(-score, 0.0), max(score, 0.0)
        super().__init__(negative, max(0.0, 1 - negative - positive), positive, "test")
        object.__setattr__(self, "_given", (score, confidence))

    @property
    def score(self) -> float:
        return self._given[0]

    @property
    def confidence(self) -> float:
        return self._given[1]


class Simulation:
    """One world: a set of rules, a database, a channel, a clock that the caller turns by `until`. Of `brands` the
    `competitors` are watched only by rules that name them."""

    def __init__(
        self, rules: RuleSet, brands: Collection[str], start: datetime, competitors: Collection[str] = ()
    ) -> None:
        self.store = Store.in_memory()
        self._tape = Tape()
        self._rules = rules
        self._escalate = Escalate(rules, CHANNEL, brands, competitors)
        self._acting = Acting(self.store, rules, competitors)
        self._delivery = Delivery(self.store, self._tape)
        self._now = start
        self._brands_at: datetime | None = None
        self._deliver_at: datetime | None = None
        self._said = 0
        self._events_told = 0
        self.timeline: list[Moment] = []
        self.posts: list[int | None] = []
        self.replies: list[int | None] = []
        self.summaries: list[int] = []
        self.called: dict[int | None, list[str]] = {}
        with self.store.write() as connection:
            for rule in rules.rules:
                for mute in rule.mutes:
                    mutes.add(connection, mutes.Mute(rule.id, mute.since or start, mute.until, rule.owner))

    def close(self) -> None:
        self.store.close()

    def until(self, moment: datetime) -> None:
        """Let everything happen that is due until then."""
        for _ in self.passing(moment):
            pass

    def passing(self, moment: datetime) -> Iterator[datetime]:
        """The same, one thing that is due after the other: yields the time of each, for those who watch the clock."""
        while (due := self._next_due()) is not None and due <= moment:
            self._now = max(self._now, due)
            self._settle()
            yield self._now
        self._now = max(self._now, moment)
        self._settle()
        yield self._now

    def _next_due(self) -> datetime | None:
        with self.store.read() as connection:
            timer = escalations.next_timer(connection)
        return min((at for at in (timer, self._brands_at, self._deliver_at) if at is not None), default=None)

    def _settle(self) -> None:
        now = self._now
        if self._brands_at is not None and self._brands_at <= now:
            self._brands_at = None
            self._escalate.judge_brands(self.store, now, at_once=True)
        with self.store.write() as connection:
            self._escalate.fire_timers(connection, now)
        self._note_events()
        while (wake := self._delivery.step(now)) is not None and wake <= now:
            self._note_messages()
        self._deliver_at = wake
        self._note_messages()
        self._note_events()

    # -- what happens there --------------------------------------------------------------------------------------

    def say(self, said: Said) -> str:
        """One mention, now."""
        self._said += 1
        author = said.author or f"author {self._said}"
        post = Post(
            source=said.source,
            native_id=str(self._said),
            text=said.text or f"Mention {self._said} of {said.brand}",
            published_at=self._now,
            title=said.discussion,
            author=Author(id=author, name=author, followers=said.author_reach),
            conversation_id=said.discussion,
            language=said.language,
        )
        sentiment = None if said.answer else Scripted(said.sentiment, said.confidence)
        finding = Finding(said.brand, (said.brand,), post.text, said.topics or (), said.answer, sentiment)
        with self.store.write() as connection:
            stored = mentions.save(connection, post, [finding], self._now)
            self._escalate.consider(connection, stored.added, stored.answered, self._now)
        self._brands_at = min(self._brands_at or self._now + BRAND_EVERY, self._now + BRAND_EVERY)
        self._deliver_at = self._now
        self._note_events()
        return ""

    def click(self, click: Click) -> str:
        """What the click did not do, in words; "" if it did something."""
        with self.store.read() as connection:
            found = self._escalations(connection, click.discussion)
            alive = [escalation for escalation in found if escalation.state in ALIVE] or found[-1:]
            if len(alive) != 1:
                return "there is no alert to click on" if not alive else "there are several alerts; name a discussion"
            self.timeline.append(
                Moment(self._now, MomentKind.CLICK, f"{click.user} presses {click.button}", _name(alive[0], connection))
            )
        try:
            done = self._acting.act(alive[0].id, _act(click, self._now), Person(click.user, Channel.SLACK), self._now)
        except MonitorError as error:
            return str(error)
        self._deliver_at = self._now
        self._note_events()
        return "" if done.changed else f"it changed nothing: {done.reason}"

    def mute(self, mute: Mute) -> str:
        with self.store.write() as connection:
            mutes.add(connection, mutes.Mute(mute.rule, self._now, mute.until, "test"))
        self.timeline.append(Moment(self._now, MomentKind.SILENCE, f"{mute.rule} is muted"))
        return ""

    # -- what became of it ---------------------------------------------------------------------------------------

    def found(self, expectation: Expectation) -> dict[str, object] | str:
        """The actual value of everything that is expected, or why there is none."""
        with self.store.read() as connection:
            known = self._escalations(connection, expectation.discussion)
            if rule := expectation.values.get("rule"):
                known = [one for one in known if one.rule_id == rule] or known
            subjects = {(one.scope, one.discussion_id, one.brand) for one in known}
            about_one = set(expectation.values) - {"posts", "replies", "called"}
            if len(subjects) > 1 and about_one:
                names = ", ".join(dict.fromkeys(_name(one, connection) for one in known))
                return f"there are alerts on several discussions ({names}); say which `discussion` is meant"
            ids = {one.id for one in known}
            everything = expectation.discussion is None
            # What a summary stands for has been posted with it.
            summed_up = 0 if everything else sum(self._is_told_by(connection, one, ids) for one in self.summaries)
            values: dict[str, object] = {
                "posts": sum(everything or one in ids for one in self.posts) + summed_up,
                "replies": sum(everything or one in ids for one in self.replies),
                "called": tuple(
                    dict.fromkeys(
                        name
                        for one, names in self.called.items()
                        if everything or one in ids
                        for name in names
                    )
                ),
                "state": "none", "tier": 0, "team": None, "mention": False, "severity": None, "rule": None,
            }  # fmt: skip
            if known:
                values |= self._standing(connection, known[-1])
        return values

    @staticmethod
    def _is_told_by(connection: sqlite3.Connection, summary_id: int, ids: Collection[int]) -> bool:
        outbox = Outbox(connection)
        crowd = outbox.get(summary_id).payload.get("crowd")
        return crowd == Crowd.ROOTS and not set(ids).isdisjoint(outbox.members(summary_id))

    @staticmethod
    def _standing(connection: sqlite3.Connection, escalation: Escalation) -> dict[str, object]:
        kept = kept_by(connection, escalation)
        tier, team = kept.tier(escalation.tier), kept.team(escalation.tier)
        return {
            "state": escalation.state.value,
            "tier": escalation.tier,
            "team": team.id if team else None,
            "mention": bool(tier and tier.mention and escalation.tier),
            "severity": escalation.severity.value,
            "rule": escalation.rule_id,
        }

    def fired(self) -> frozenset[str]:
        """The ids of the rules that fired."""
        with self.store.read() as connection:
            return frozenset(
                fired.rule_id
                for escalation in self._escalations(connection, None)
                for fired in escalations.fired_rules(connection, escalation.id)
            )

    def reasons(self) -> frozenset[tuple[str, str, str]]:
        """Rule, name and wording of every alerting condition that held when its rule fired."""
        with self.store.read() as connection:
            return frozenset(
                (fired.rule_id, reason.name, reason.asked)
                for escalation in self._escalations(connection, None)
                for fired in escalations.fired_rules(connection, escalation.id)
                for reason in fired.reasons
            )

    def tiers(self) -> frozenset[tuple[str, int]]:
        """Rule and number of every tier that was told."""
        told: set[tuple[str, int]] = set()
        with self.store.read() as connection:
            for escalation in self._escalations(connection, None):
                rule_id = escalation.rule_id
                for event in escalations.history(connection, escalation.id):
                    told |= {(rule_id, one["tier"]) for one in json.loads(event["data"]).get("told", ())}
        return frozenset(told)

    @staticmethod
    def _escalations(connection: sqlite3.Connection, discussion: str | None) -> list[Escalation]:
        """The oldest first."""
        found = sorted(escalations.having_state(connection, tuple(State)), key=lambda one: one.id)
        return [one for one in found if discussion is None or _name(one, connection) == discussion]

    # -- the timeline --------------------------------------------------------------------------------------------

    def _note_events(self) -> None:
        with self.store.read() as connection:
            for event in escalations.events_after(connection, self._events_told):
                self._events_told = event["id"]
                if event["escalation_id"] is not None:
                    self._note_event(connection, event)

    def _note_event(self, connection: sqlite3.Connection, event: sqlite3.Row) -> None:
        escalation = escalations.by_id(connection, event["escalation_id"])
        assert escalation is not None
        data: dict[str, Any] = json.loads(event["data"])
        about = _name(escalation, connection)
        if event["what"] == "held back":
            self.timeline.append(Moment(self._now, MomentKind.SILENCE, f"nothing is posted: {event['why']}", about))
            return
        what = _what(event, data)
        if what != "changed":
            text = what if what == event["why"] else f"{what}: {event['why']}"
            self.timeline.append(Moment(self._now, MomentKind.STATE, text, about))
        for told in data.get("told", ()):
            if told["called"]:
                self.called.setdefault(escalation.id, []).extend(told["called"])
                names = f"{', '.join(told['called'])} ({told['team']})"
                self.timeline.append(Moment(self._now, MomentKind.CALLED, names, about))

    def _note_messages(self) -> None:
        arrived, self._tape.arrived = self._tape.arrived, []
        with self.store.read() as connection:
            for outbox_id in arrived:
                message = Outbox(connection).get(outbox_id)
                escalation = escalations.by_id(connection, message.escalation_id or 0)
                about = _name(escalation, connection) if escalation else ""
                said = " ".join(map(english, texts_from_json(message.payload.get("text") or ())))
                text = said or f"{message.payload.get('new', '')} new"
                if message.kind is MessageKind.REPLY:
                    self.replies.append(message.escalation_id)
                    self.timeline.append(Moment(self._now, MomentKind.REPLY, f"in the thread: {text}", about))
                elif message.kind is MessageKind.SUMMARY:
                    self.posts.append(None)
                    self.summaries.append(message.id)
                    many = f"in {message.channel}, one message for {len(Outbox(connection).members(message.id))}"
                    self.timeline.append(Moment(self._now, MomentKind.POST, many))
                else:
                    self.posts.append(message.escalation_id)
                    self.timeline.append(Moment(self._now, MomentKind.POST, f"in {message.channel}", about))


def _name(escalation: Escalation, connection: sqlite3.Connection) -> str:
    """The discussion as the test calls it; for a whole brand, the brand."""
    if escalation.scope is Scope.BRAND:
        return escalation.brand
    return escalations.subject_of(connection, escalation)


def _what(event: sqlite3.Row, data: Mapping[str, Any]) -> str:
    """What happened, where its state alone does not say it."""
    if event["why"] == Reason.HANDED_OVER:
        return f"handed over to {data['team']}"
    if event["why"] == Reason.ANSWERED:
        return "answered"
    if event["what"] == "changed" and data.get("told"):
        return " and ".join(f"tier {told['tier']}" for told in data["told"])
    return str(event["what"])


def _act(click: Click, now: datetime) -> Act:
    match click.button:
        case Button.ACKNOWLEDGE:
            return Acknowledge(click.user)
        case Button.ASSIGN:
            return Assign(click.user, click.to or click.user)
        case Button.HAND_OVER:
            return HandOver(click.user, click.to or "")
        case Button.SNOOZE:
            assert click.length is not None
            return Snooze(click.user, now + click.length)
        case Button.RESOLVE:
            return Resolve(click.user, click.outcome or Outcome.NO_ACTION, click.note)
        case Button.NOT_NEGATIVE:
            return Correct(click.user, Correction.NOT_NEGATIVE)
        case Button.NOT_ABOUT_US:
            return Correct(click.user, Correction.NOT_ABOUT_US)
