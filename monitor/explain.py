"""`rules explain`: loads what is asked about and all that the rules look at, and explains each of them.

What a rule made of it is decided in rules/explain.py; this only reads the database, and reads no clock.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from monitor.errors import MonitorError
from monitor.matching import TopicMatcher, full_text
from monitor.model import Discussion, Escalation, Mention, Scope
from monitor.rules import alerts
from monitor.rules.counted import Counted
from monitor.rules.explaining.account import Account, account
from monitor.rules.explaining.explain import explain, in_order
from monitor.rules.explaining.inquiry import Case, Explanation, Kind
from monitor.rules.explaining.spoken import Spoken
from monitor.rules.load import RuleSet
from monitor.rules.rule import Rule
from monitor.rules.times import NOTHING, Covered
from monitor.rules.windows import NEWS, horizon
from monitor.store import discussions, escalations, evidence, facts, mentions, questions, sources
from monitor.store.evidence import Subject
from monitor.wording.text import Text, english, say

FOREVER = datetime(1970, 1, 1, tzinfo=UTC)
#: A rule about a brand as a whole is asked about the last of a discussion that went on for longer.
OF_A_DISCUSSION = timedelta(days=7)

Asked = Mention | Discussion | Escalation


@dataclass(frozen=True, slots=True)
class Found:
    """Something that has the id that was asked about; `name` is that id as it is written everywhere, `about` a few
    words on it."""

    name: str
    about: str
    what: Asked

    @property
    def kind(self) -> str:
        return {"m": "mention", "d": "discussion", "e": "escalation"}[self.name[0]]


@dataclass(frozen=True, slots=True)
class Answer:
    """`notes` are sentences that hold for all of it; those of `explanations` that people noticed stand first."""

    found: Found
    notes: tuple[Text, ...]
    explanations: tuple[Explanation, ...]
    account: Account | None = None
    escalation: Escalation | None = None


# -- what is asked about -----------------------------------------------------------------------------------------


def find(connection: sqlite3.Connection, letter: str, number: int) -> tuple[Found, ...]:
    """The mention (`m`), discussion (`d`) or escalation (`e`) of that number; without a letter all that have it."""
    found: list[Found] = []
    if letter in ("", "m"):
        for mention in mentions.by_ids(connection, [number]):
            found.append(Found(f"m{number}", mention.snippet or mention.post.title or mention.post.text, mention))
    if letter in ("", "d") and (discussion := discussions.by_id(connection, number)):
        found.append(Found(f"d{number}", discussion.title, discussion))
    if letter in ("", "e") and (escalation := escalations.by_id(connection, number)):
        titles = [rule.title for rule in escalations.fired_rules(connection, number)]
        about = escalations.subject_of(connection, escalation)
        found.append(Found(f"e{number}", f"{titles[0]}: {about}" if titles else about, escalation))
    return tuple(found)


def answer(
    connection: sqlite3.Connection,
    found: Found,
    rules: RuleSet,
    competitors: Collection[str],
    spoken: Spoken,
    *,
    folder: str = "rules",
    at: datetime | None = None,
    only: str | None = None,
) -> Answer:
    """What each rule, or the one with the id `only`, makes of what was found, as of `at` or the moment that tells most.

    Raises `MonitorError` where no rule has that id.
    """
    wanted = [rule for rule in rules.rules if only in (None, rule.id)]
    if not wanted:
        known = ", ".join(sorted(rule.id for rule in rules.rules)) or "none"
        raise MonitorError(f"There is no rule {only}; there are: {known}.")
    if isinstance(found.what, Mention) and at and at < found.what.at:
        since = english(spoken.time(found.what.at))
        raise MonitorError(f"{found.name} counts from {since} on; ask about that time or a later.")
    asking = _Asking(connection, found, rules, competitors, spoken, folder, at)
    told = [explain(rule, asking.about(rule)) for rule in wanted] if asking.said else []
    escalation = found.what if isinstance(found.what, Escalation) else None
    return Answer(found, asking.notes(), tuple(in_order(told)), asking.account(), escalation)


class _Asking:
    """One question to all rules: what they share is loaded once."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        found: Found,
        rules: RuleSet,
        competitors: Collection[str],
        spoken: Spoken,
        folder: str,
        at: datetime | None,
    ) -> None:
        self.connection, self.found, self.rules, self.spoken, self.at = connection, found, rules, spoken, at
        what = found.what
        self.brand = what.brand
        self.discussion_id = what.id if isinstance(what, Discussion) else what.discussion_id
        self.kind = Kind.MENTION if isinstance(what, Mention) else Kind.DISCUSSION
        if self.discussion_id is None:
            self.kind = Kind.BRAND
        self.escalation = questions.life(connection, what) if isinstance(what, Escalation) else None
        self.in_discussion = self._discussed()
        self.of_brand = self._of_brand()
        self.said = self._said()
        in_force = facts.recall(connection, "rules_hash")
        self._common = Case(
            kind=self.kind,
            name=found.name,
            brand=self.brand,
            spoken=spoken,
            said=self.said,
            judged=self.in_discussion,
            competitor=self.brand in competitors,
            at=at,
            recorded={one.rule_id: one.at for one in self.escalation.fired.values()} if self.escalation else {},
            seen=questions.read_late(connection, (m.id for m in (*self.in_discussion, *self.said))),
            silences=questions.silences(connection, at or spoken.now),
            rules_since=in_force[1] if in_force and in_force[0] == rules.hash else None,
            folder=folder,
        )
        self._lives = {
            scope: questions.lives(connection, self.brand, scope, self.discussion_id)
            for scope in (Scope.DISCUSSION, Scope.BRAND)
            if scope is Scope.BRAND or self.discussion_id is not None
        }

    def about(self, rule: Rule) -> Case:
        if rule.scope is Scope.DISCUSSION:
            judged, lives, discussion_id = self.in_discussion, self._lives.get(rule.scope, ()), self.discussion_id
        else:
            mine = [life for life in self._lives[rule.scope] if rule.id in life.fired]
            judged, lives, discussion_id = self.of_brand, tuple(mine), None
        return replace(
            self._common,
            judged=judged,
            lives=lives,
            covered=self._covered(rule),
            would_have={rule.id: questions.would_have_alerted(self.connection, rule.id, discussion_id)},
        )

    def account(self) -> Account | None:
        if self.escalation is None:
            return None
        timers = questions.timers(self.connection, self.escalation.escalation.id)
        now = {rule.id: rule for rule in self.rules.rules}
        return account(self.escalation, now, [(timer.kind, timer.due_at) for timer in timers])

    def notes(self) -> tuple[Text, ...]:
        what, name, notes = self.found.what, self.found.name, list[Text]()
        if isinstance(what, Mention) and what.answer:
            notes.append(say("{name} is an answer of ours: what our own accounts say never counts.", name=name))
        elif isinstance(what, Mention) and what.dismissed:
            brand = {"name": name, "brand": self.brand}
            notes.append(say("Somebody said that {name} is not about {brand}: it counts nowhere.", **brand))
        elif isinstance(what, Mention) and (changed := self._other_topics(what)):
            notes.append(changed)
        elif not self.said and self.kind is Kind.BRAND and self.at:
            # Only the command line asks about a moment, in English.
            then = english(self.spoken.at(self.at))
            said = f"{then[0].upper()}{then[1:]} nothing had been said of {self.brand} that its rules look at."
            notes.append(Text("{said}", {"said": said}))
        elif not self.said:
            gone = say(
                "No mention of {name} is stored any more (deleted, or edited so that it names {brand} no longer):"
                " there is nothing that rules could count.",
                name=name, brand=self.brand,
            )  # fmt: skip
            notes.append(gone)
        known = {rule.id for rule in self.rules.rules}
        for life in self._lives.get(Scope.DISCUSSION, ()):
            for rule in sorted(life.fired.keys() - known):
                fired = {"rule": rule, "at": self.spoken.at(life.fired[rule].at), "name": life.name}
                notes.append(say("{rule} fired {at} on escalation {name}, and is no rule any more.", **fired))
        return tuple(notes)

    def _other_topics(self, mention: Mention) -> Text | None:
        """What the words of topics.yaml would find in a mention that was stored with others."""
        now = TopicMatcher(self.rules.topics).topics(full_text(mention.post), mention.post.language)
        if set(now) == set(mention.topics):
            return None
        then = say("then they found {topics}", topics=", ".join(sorted(mention.topics)))
        return say(
            "The words of topics.yaml have changed since {name} was stored: now they would find {now} in it, {then}."
            " What they found then counts; `rules backtest` shows what the new words come to.",
            name=self.found.name,
            now=", ".join(now) or say("no topic"),
            then=then if mention.topics else say("then they found none"),
        )

    # -- what rules look at --------------------------------------------------------------------------------------

    def _said(self) -> tuple[Counted, ...]:
        what = self.found.what
        if isinstance(what, Mention):
            return tuple(one for one in self.in_discussion if one.id == what.id)
        if self.kind is Kind.BRAND and self.escalation:
            # What the rule had in sight when it fired.
            fired = max(self.escalation.fired.values(), key=lambda rule: rule.at, default=None)
            end = self.at or (fired.at if fired else self.spoken.now)
            since = end - self._longest(Scope.BRAND)
            return tuple(one for one in self.of_brand if since < one.at <= end)
        return self.in_discussion

    def _discussed(self) -> tuple[Counted, ...]:
        if self.discussion_id is None:
            return ()
        return self._counted(self.discussion_id, FOREVER)

    def _of_brand(self) -> tuple[Counted, ...]:
        """The brand's mentions, as far back as its rules look from the moments that may be asked about."""
        if not (rules := [rule for rule in self.rules.rules if rule.scope is Scope.BRAND]):
            return ()
        what = self.found.what
        if self.escalation and self.kind is Kind.BRAND:
            first = min((rule.at for rule in self.escalation.fired.values()), default=self.spoken.now)
        elif isinstance(what, Mention):
            first = what.at
        elif self.in_discussion:
            first = max(self.in_discussion[0].at, self.in_discussion[-1].at - OF_A_DISCUSSION)
        else:
            first = self.spoken.now
        return self._counted(None, min(first, self.at or first) - max(map(horizon, rules)) - NEWS)

    def _counted(self, discussion_id: int | None, since: datetime) -> tuple[Counted, ...]:
        found = evidence.counted(self.connection, Subject(self.brand, discussion_id), since)
        return tuple(sorted(found, key=lambda mention: (mention.at, mention.id)))

    def _covered(self, rule: Rule) -> Covered:
        if not rule.asks_the_usual:
            return NOTHING
        first = self.said[0].at if self.said else self.spoken.now
        since = min(first, self.at or first) - horizon(rule)
        return Covered(sources.coverage(self.connection, self.brand, since, self.spoken.now, rule.match.sources))

    def _longest(self, scope: Scope) -> timedelta:
        asked = [condition for rule in self.rules.rules if rule.scope is scope for condition in rule.alert_when_any]
        return max(map(alerts.window, asked), default=timedelta())
