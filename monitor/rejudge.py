"""Whether the rules of an escalation would fire on what is stored now: asked after people have corrected mentions.

A rule is asked about every moment in which it can have fired on this escalation, not about the last alone: three
corrected mentions of fifty end nothing. To load and ask takes long where there are many, so that is done outside of
the transaction that acts on the answer; there only what has been stored meanwhile is added and asked about.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime

from monitor.model import Escalation, Verdict
from monitor.rules.counted import Counted
from monitor.rules.load import RuleSet
from monitor.rules.times import NOTHING, Covered
from monitor.rules.windows import NEWS, Windows, horizon
from monitor.store import escalations, evidence, mentions, sources
from monitor.store.escalations import BRAND_STRETCH
from monitor.store.evidence import Subject


class Rejudged:
    """One escalation, judged anew by the rules in force. `competitors` are watched only by rules that name them."""

    def __init__(
        self, connection: sqlite3.Connection, escalation: Escalation, rules: RuleSet,
        competitors: Collection[str], now: datetime,
    ) -> None:  # fmt: skip
        self._subject = Subject(escalation.brand, escalation.discussion_id)
        self._mark, self._revision = evidence.latest(connection), evidence.revision(connection, self._subject)
        self._fired = {rule.rule_id: rule.at for rule in escalations.fired_rules(connection, escalation.id)}
        known = [rule for rule in rules.rules if rule.id in self._fired]
        self._gone = len(known) < len(self._fired)
        self._since, self._now = _first_moment(connection, escalation), now
        self._windows = [Windows(rule) for rule in known if rule.watches(escalation.brand, frozenset(competitors))]
        self._covered: dict[str, Covered] = {}
        self._came: list[Counted] = []
        self._totals, self._fires = evidence.totals(connection, self._subject), False
        if not self._windows:
            return
        rules_ = [windows.rule for windows in self._windows]
        start = min(self._since, *(self._fired[rule.id] for rule in rules_)) - max(map(horizon, rules_))
        for mention in evidence.counted(connection, self._subject, start):
            self._add(mention)
        for rule in rules_:
            if rule.asks_the_usual:
                found = sources.coverage(connection, escalation.brand, start, now, rule.match.sources)
                self._covered[rule.id] = Covered(found)
        self._fires = self._any_fires(self._came)

    def fires(self, connection: sqlite3.Connection) -> bool | None:
        """Whether any of its rules fires; None if what was loaded has changed meanwhile, so that it must be again.

        Of a rule whose file is gone nobody knows: it is taken to fire while anything negative is left.
        """
        if evidence.revision(connection, self._subject) != self._revision or not evidence.is_stored(
            connection, self._mark
        ):
            return None
        known, mark = len(self._came), self._mark
        for mention in evidence.added(connection, self._subject, mark.id):
            self._add(mention)
        self._mark = evidence.latest(connection)
        before, self._totals = self._totals, evidence.totals(connection, self._subject)
        if before != self._totals and any(windows.rule.discussion for windows in self._windows):
            # The floor may be reached now: for every moment.
            known = 0
        if self._mark != mark:
            self._fires = self._fires or self._any_fires(self._came[known:])
        return self._fires or (self._gone and self._any_negative(connection))

    def verdicts(self) -> list[Verdict]:
        """Of each of its rules that fires: what it finds now, at the moment in which it fired last or, if it does not
        then, at the latest in which it does."""
        found = []
        for windows in self._windows:
            covered = self._covered.get(windows.rule.id, NOTHING)
            at: datetime | None = self._fired[windows.rule.id]
            if not windows.fires(self._fired[windows.rule.id], self._totals, covered):
                latest = windows.latest(self._came, self._totals, self._since + NEWS, covered)
                at = latest.at if latest is not None and latest.fires else None
            if at is not None:
                found.append(windows.verdict(at, self._totals, covered))
        return found

    def _any_fires(self, came: Sequence[Counted]) -> bool:
        """Whether a rule fires at the moment in which it fired last, or at one that the mentions `came` touch."""
        for windows in self._windows:
            covered = self._covered.get(windows.rule.id, NOTHING)
            if windows.fires(self._fired[windows.rule.id], self._totals, covered):
                return True
            # No moment before the first one counts: for that, it stands in the place of the oldest news.
            found = windows.latest(came, self._totals, self._since + NEWS, covered)
            if found is not None and found.fires:
                return True
        return False

    def _add(self, mention: Counted) -> None:
        for windows in self._windows:
            windows.add(mention)
        if mention.at > self._since:
            self._came.append(mention)

    def _any_negative(self, connection: sqlite3.Connection) -> bool:
        if self._subject.discussion_id is None:
            since = self._now - BRAND_STRETCH
            return mentions.counts_of_brand(connection, self._subject.brand, since)["negative"] > 0
        return mentions.negative_in(connection, self._subject.discussion_id) > 0


def _first_moment(connection: sqlite3.Connection, escalation: Escalation) -> datetime:
    """From when on its rules can have fired on it: mentions may be read late, but what had been resolved before has
    nothing to do with it."""
    since = escalation.created_at - NEWS
    ended = escalations.ended_before(connection, escalation)
    return max(since, ended) if ended else since
