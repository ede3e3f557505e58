"""What to think of a replay: what is new and gone between two sets of rules, what people said of such alerts, and what
would have been missed. It replays nothing itself.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar

from monitor.model import Severity
from monitor.rules.backtesting.backtest import Alert, Message, messages, subject
from monitor.rules.backtesting.opinions import NEAR, Opinion, People, Talk, near
from monitor.rules.backtesting.words import words_asked
from monitor.rules.load import RuleSet
from monitor.rules.rule import Rule, Status

#: So many strongly negative mentions make a discussion that somebody should have heard of.
STRONG_SCORE, MANY_STRONG = -0.5, 5
#: So many of those are named.
MOST_MISSED = 10
WEEK = timedelta(days=7)

Thing = TypeVar("Thing", Alert, Message)


# -- new and gone ------------------------------------------------------------------------------------------------


def pair(old: Iterable[Thing], new: Iterable[Thing], key: Callable[[Thing], object]) -> tuple[list[Thing], list[Thing]]:
    """What of `new` has no counterpart in `old`, and the other way round: the same `key`, going on at the same time or
    within `reopen_within` of one another. Each has one counterpart at most."""
    by_key: dict[object, tuple[list[Thing], list[Thing]]] = defaultdict(lambda: ([], []))
    for side, things in enumerate((old, new)):
        for thing in sorted(things, key=lambda thing: thing.at):
            by_key[key(thing)][side].append(thing)
    added, gone = [], []
    for olds, news in by_key.values():
        o = n = 0
        while o < len(olds) and n < len(news):
            before, after = olds[o], news[n]
            slack = max(before.reopen_within, after.reopen_within)
            if before.until + slack < after.at:
                gone.append(before)
                o += 1
            elif after.until + slack < before.at:
                added.append(after)
                n += 1
            else:
                o, n = o + 1, n + 1
        gone += olds[o:]
        added += news[n:]
    return sorted(added, key=lambda thing: thing.at), sorted(gone, key=lambda thing: thing.at)


# -- the whole ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tally:
    """How many, what people said of them, how many came outside the hours of their team, and how many on each day."""

    number: int = 0
    confirmed: int = 0
    dismissed: int = 0
    unknown: int = 0
    held: int = 0
    days: Mapping[date, int] = field(default_factory=dict)

    @property
    def judged(self) -> int:
        return self.confirmed + self.dismissed

    @property
    def precision(self) -> float | None:
        """The share of confirmed ones among those that people have judged."""
        return self.confirmed / self.judged if self.judged else None


@dataclass(frozen=True, slots=True)
class Told:
    """One message of a replay with what is known of it: `talk` is None where it is about a brand as a whole."""

    message: Message
    opinion: Opinion
    escalation_id: int | None
    talk: Talk | None


@dataclass(frozen=True, slots=True)
class Side:
    """What one set of rules would have done. `tests` are the alerts of rules in test, which nobody would have seen."""

    name: str
    told: tuple[Told, ...]
    tests: tuple[Told, ...]
    tally: Tally


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule's alerts under the old and the new rules; None where there it does not exist or is off.

    `changed`: its file is another. `reworded`: the topics that it asks for have other words.
    """

    rule_id: str
    title: str
    severity: Severity
    status: Status
    old: Tally | None
    new: Tally | None
    added: int = 0
    gone: int = 0
    changed: bool = False
    reworded: bool = False


@dataclass(frozen=True, slots=True)
class Missed:
    """A discussion, or a brand, of which nobody would have been told. `escalation_id`: people had confirmed that one;
    None: it is here for its strongly negative mentions."""

    brand: str
    talk: Talk | None
    at: datetime
    escalation_id: int | None = None


@dataclass(frozen=True, slots=True)
class Searched:
    """The topics whose words are not those that mentions were stored with, and how many texts were searched anew."""

    topics: tuple[str, ...]
    texts: int


@dataclass(frozen=True, slots=True)
class Backtest:
    """The whole report. Without `old` nothing is compared. `notes` say what the reader would else wonder about.

    `searched` is None where what is stored with mentions was good enough.
    """

    since: datetime
    until: datetime
    mentions: int
    new: Side
    old: Side | None
    rules: tuple[RuleRow, ...]
    added: tuple[Told, ...]
    gone: tuple[Told, ...]
    missed: tuple[Missed, ...]
    searched: Searched | None = None
    notes: tuple[str, ...] = ()

    @property
    def weeks(self) -> float:
        return (self.until - self.since) / WEEK

    @property
    def days(self) -> list[date]:
        first, last = self.since.date(), self.until.date()
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@dataclass(frozen=True, slots=True)
class Played:
    """One set of rules with all that it alerted in a replay, the time before `since` included."""

    name: str
    rules: RuleSet
    alerts: tuple[Alert, ...]


def compare(
    new: Played,
    old: Played | None,
    people: People,
    talks: Mapping[int, Talk],
    strong: Sequence[Talk],
    *,
    since: datetime,
    until: datetime,
    mentions: int,
    searched: Searched | None = None,
    notes: Sequence[str] = (),
) -> Backtest:
    """`talks` are all discussions that an alert or a past escalation names; `strong` those with at least `MANY_STRONG`
    strongly negative mentions, the most first. What began before `since` is not told, but goes on."""

    def told(message: Message) -> Told:
        escalations = [one for alert in message.alerts if (one := people.escalation(alert))]
        opinions = {people.opinion(alert) for alert in message.alerts}
        opinion = next((one for one in Opinion if one in opinions), Opinion.UNKNOWN)
        escalation = next((one.id for one in escalations if one.opinion is opinion), None)
        return Told(message, opinion, escalation, talks.get(message.first.discussion_id or 0))

    def in_time(things: Iterable[Thing]) -> list[Thing]:
        return [thing for thing in things if thing.at >= since]

    def side(played: Played, made: Sequence[Message]) -> Side:
        live = [told(message) for message in in_time(made) if not message.first.test]
        tests = tuple(told(message) for message in in_time(made) if message.first.test)
        return Side(played.name, tuple(live), tests, _tally([(t.message, t.opinion) for t in live]))

    def about(message: Message) -> object:
        return subject(message.first)

    made = messages(new.alerts)
    made_before = messages(old.alerts) if old else []
    added, gone = pair(made_before, made, about) if old else ([], [])
    return Backtest(
        since=since,
        until=until,
        mentions=mentions,
        new=side(new, made),
        old=side(old, made_before) if old else None,
        rules=tuple(_rows(new, old, people, since)),
        added=tuple(told(message) for message in in_time(added) if not message.first.test),
        gone=tuple(told(message) for message in in_time(gone) if not message.first.test),
        missed=tuple(_missed(made, people, talks, strong, since, until)),
        searched=searched,
        notes=tuple(notes),
    )


def _tally(judged: Collection[tuple[Alert | Message, Opinion]]) -> Tally:
    opinions = Counter(opinion for _, opinion in judged)
    return Tally(
        number=len(judged),
        confirmed=opinions[Opinion.CONFIRMED],
        dismissed=opinions[Opinion.DISMISSED],
        unknown=opinions[Opinion.UNKNOWN],
        held=sum(thing.held for thing, _ in judged),
        days=Counter(thing.at.date() for thing, _ in judged),
    )


def _rows(new: Played, old: Played | None, people: People, since: datetime) -> Iterable[RuleRow]:
    after = {rule.id: rule for rule in new.rules.rules}
    before = {rule.id: rule for rule in old.rules.rules} if old else {}
    for rule_id in sorted({*after, *before}):
        rule = after.get(rule_id) or before[rule_id]
        sides = []
        for played, known in ((old, before), (new, after)):
            exists = played is not None and rule_id in known and known[rule_id].status is not Status.OFF
            alerts = [alert for alert in played.alerts if alert.rule_id == rule_id] if played and exists else []
            sides.append((exists, alerts))
        (was, alerts_before), (is_, alerts_after) = sides
        added, gone = pair(alerts_before, alerts_after, lambda alert: (alert.brand, alert.discussion_id))

        def tally(alerts: Iterable[Alert]) -> Tally:
            return _tally([(alert, people.opinion(alert)) for alert in alerts if alert.at >= since])

        yield RuleRow(
            rule_id=rule_id,
            title=rule.title,
            severity=rule.severity,
            status=rule.status,
            old=tally(alerts_before) if was else None,
            new=tally(alerts_after) if is_ else None,
            added=sum(alert.at >= since for alert in added) if old else 0,
            gone=sum(alert.at >= since for alert in gone) if old else 0,
            changed=old is not None and _text(after.get(rule_id)) != _text(before.get(rule_id)),
            reworded=was and is_ and _words(after[rule_id], new) != _words(before[rule_id], old),
        )


def _words(rule: Rule, played: Played | None) -> Mapping[str, str]:
    return words_asked(rule, played.rules) if played else {}


def _text(rule: object) -> str:
    return getattr(rule, "source_text", "")


def _missed(
    made: Iterable[Message],
    people: People,
    talks: Mapping[int, Talk],
    strong: Iterable[Talk],
    since: datetime,
    until: datetime,
) -> Iterable[Missed]:
    """What people confirmed first, then what was said most strongly."""
    reached: dict[tuple[str, int | None], list[Alert]] = defaultdict(list)
    for message in made:
        if not message.first.test:
            for alert in message.alerts:
                reached[alert.brand, alert.discussion_id].append(alert)
    named = set()
    for past in people.past:
        alerts = reached.get((past.brand, past.discussion_id), ())
        confirmed = past.opinion is Opinion.CONFIRMED and since <= past.at <= until
        if confirmed and not any(near(alert, past) for alert in alerts):
            named.add(past.discussion_id)
            yield Missed(past.brand, talks.get(past.discussion_id or 0), past.at, past.id)
    silent = [
        talk
        for talk in strong
        if talk.id not in named
        and not any(since - NEAR <= alert.until for alert in reached.get((talk.brand, talk.id), ()))
    ]
    for talk in silent[:MOST_MISSED]:
        yield Missed(talk.brand, talk, talk.at)
