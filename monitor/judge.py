"""Which rules fire on what is stored: keeps the windows of discussions and brands in memory and follows the database.

A subject is counted once; after that only the mentions with larger ids are read, whoever stored them, so that judging
one more costs the same however many there are. What follows from a rule that fires is the business of `escalate`.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.model import Escalation, Scope, Verdict
from monitor.rules.counted import Counted
from monitor.rules.load import RuleSet
from monitor.rules.rule import Rule, Status
from monitor.rules.times import NOTHING, Covered
from monitor.rules.windows import NEWS, Windows, horizon
from monitor.store import escalations, evidence, sources
from monitor.store.evidence import Mark, Subject

#: Discussions are kept in memory as long as they hold no more numbers (of eight bytes) and are no more than these;
#: of a discussion without much in it, Python's own bookkeeping (some 2 kB) is the most.
MOST_NUMBERS = 4_000_000
MOST_DISCUSSIONS = 5_000
#: What is old is dropped in one go, now and then, and a little late: a clock that is set back a little finds all.
PRUNE_EVERY = timedelta(hours=2)
PRUNE_LATE = timedelta(hours=1)
#: After an edit or a deletion a subject is counted anew: at once if it is of the usual size, a huge one so much later
#: for each number beyond that. To count a million takes seconds, and somebody edits something all the time.
USUAL_NUMBERS = 100_000
RECOUNT_LATER = timedelta(microseconds=200)


@dataclass(frozen=True, slots=True)
class Firing:
    """A rule that fires. `cause`: the loudest of the new mentions that are negative by its lights, if any is; of those
    alike the worst. `stale`: what had changed of the subject was not counted yet, which was put off."""

    rule: Rule
    verdict: Verdict
    cause: int | None
    stale: bool = False


@dataclass(slots=True)
class _Held:
    """What is in memory of a subject: all that its `windows` need to be asked about any moment since `asked_from`.

    It holds the mentions up to `mark`, as they were at that `revision` or, those that came later, when they came.
    """

    windows: dict[str, Windows]
    mark: Mark
    revision: int
    counted_at: datetime
    asked_from: datetime
    numbers: int = 0

    def add(self, mention: Counted) -> None:
        for windows in self.windows.values():
            windows.add(mention)

    def is_of(self, revision: int, now: datetime) -> bool:
        later = max(0, self.numbers - USUAL_NUMBERS) * RECOUNT_LATER
        return self.revision == revision or self.counted_at <= now < self.counted_at + later

    def prune(self, now: datetime) -> None:
        if now - NEWS - self.asked_from >= PRUNE_EVERY:
            for windows in self.windows.values():
                windows.prune(now - PRUNE_LATE)
            self.asked_from = now - PRUNE_LATE - NEWS
        self.numbers = sum(map(len, self.windows.values()))


class Judge:
    """Judges one set of rules. `competitors` are watched only by rules that name them.

    For one thread. Whoever added or changed mentions in a transaction that was then rolled back calls `forget`.
    """

    def __init__(self, rules: RuleSet, competitors: Collection[str] = ()) -> None:
        self._competitors = frozenset(competitors)
        self._rules = {rule.id: rule for rule in rules.rules}
        self._empty: dict[tuple[Scope, str], list[Windows]] = {}
        #: The least recently used first. There are few brands, and to count one anew takes long: they always stay.
        self._discussions: OrderedDict[Subject, _Held] = OrderedDict()
        self._brands: dict[Subject, _Held] = {}
        self._numbers = 0

    def judge(
        self, connection: sqlite3.Connection, subject: Subject, after: int, now: datetime, *, exactly: bool = False
    ) -> list[Firing]:
        """The rules that fire on a discussion or a brand through its mentions that were stored after mention `after`.

        What another process has stored before that is counted, but not judged again. `exactly`: not putting off to
        count anew what has changed, however long that takes.
        """
        if not self._watching(subject):
            return []
        revision = evidence.revision(connection, subject)
        if exactly and (before := self._take(subject)) is not None and before.revision == revision:
            self._keep(subject, before)
        held, came = self._up_to_date(connection, subject, after, now)
        if not came:
            return []
        totals, firings = evidence.totals(connection, subject), []
        for windows in held.windows.values():
            rule = windows.rule
            covered = self._covered(connection, subject, rule, now - NEWS - horizon(rule), now)
            found = windows.latest(came, totals, now, covered)
            if found is not None and found.fires:
                verdict = windows.verdict(found.at, totals, covered)
                negative = filter(windows.negative, came)
                cause = max(negative, key=lambda mention: (mention.reach, -(mention.score or 0)), default=None)
                firings.append(Firing(rule, verdict, cause.id if cause else None, stale=held.revision != revision))
        return firings

    def still_holds(self, connection: sqlite3.Connection, escalation: Escalation, now: datetime) -> bool:
        """Whether any of its rules fires on what is stored now: a correction, an edit or a new rule may have ended it.

        A rule whose file is gone is taken to hold: people rather hear of it once too often.
        """
        subject = Subject(escalation.brand, escalation.discussion_id)
        for fired in escalations.fired_rules(connection, escalation.id):
            rule = self._rules.get(fired.rule_id)
            if rule is None:
                return True
            if rule.status is not Status.LIVE:
                continue
            windows = self._windows_at(connection, subject, rule, fired.at, now)
            covered = self._covered(connection, subject, rule, fired.at - horizon(rule), now)
            if windows.fires(fired.at, evidence.totals(connection, subject), covered):
                return True
        return False

    def forget(self) -> None:
        """Count everything anew. After a rollback mentions that were counted are not stored, and others get their ids,
        as changes get the revisions of others."""
        self._discussions.clear()
        self._brands.clear()
        self._numbers = 0

    # -- how -----------------------------------------------------------------------------------------------------

    def _up_to_date(
        self, connection: sqlite3.Connection, subject: Subject, after: int, now: datetime
    ) -> tuple[_Held, list[Counted]]:
        """What is held of the subject, with all that is stored by now, and its mentions that came after `after`."""
        mark, revision = evidence.latest(connection), evidence.revision(connection, subject)
        # Taken out while it is worked on: after an error nobody knows what it has counted.
        held = self._take(subject)
        if held is None or not self._may_go_on(connection, held, mark, revision, now):
            held = self._fresh(subject, mark, revision, now)
            since = held.asked_from - max(horizon(windows.rule) for windows in held.windows.values())
            counted, rows = 0, evidence.counted(connection, subject, since)
        else:
            counted, rows = held.mark.id, evidence.added(connection, subject, min(after, held.mark.id))
            held.mark = mark
        came = []
        for mention in rows:
            if mention.id > counted:
                held.add(mention)
            if mention.id > after:
                came.append(mention)
        held.prune(now)
        self._keep(subject, held)
        return held, came

    def _may_go_on(self, connection: sqlite3.Connection, held: _Held, mark: Mark, revision: int, now: datetime) -> bool:
        return (
            held.is_of(revision, now)
            and held.mark.id <= mark.id
            and held.asked_from <= now - NEWS
            and evidence.is_stored(connection, held.mark)
        )

    def _fresh(self, subject: Subject, mark: Mark, revision: int, now: datetime) -> _Held:
        windows = {empty.rule.id: empty.empty() for empty in self._watching(subject)}
        return _Held(windows, mark, revision, now, now - PRUNE_LATE - NEWS)

    def _windows_at(
        self, connection: sqlite3.Connection, subject: Subject, rule: Rule, as_of: datetime, now: datetime
    ) -> Windows:
        """Windows that can be asked about a moment that may be long ago."""
        if any(windows.rule is rule for windows in self._watching(subject)):
            held, _ = self._up_to_date(connection, subject, evidence.latest(connection).id, now)
            if held.asked_from <= as_of:
                return held.windows[rule.id]
        return Windows.of(rule, evidence.counted(connection, subject, as_of - horizon(rule)))

    def _covered(
        self, connection: sqlite3.Connection, subject: Subject, rule: Rule, since: datetime, now: datetime
    ) -> Covered:
        if not rule.asks_the_usual:
            return NOTHING
        return Covered(sources.coverage(connection, subject.brand, since, now, rule.match.sources))

    def _watching(self, subject: Subject) -> list[Windows]:
        """Of each rule about such a subject, windows with nothing in them."""
        scope = Scope.DISCUSSION if subject.discussion_id is not None else Scope.BRAND
        if (known := self._empty.get((scope, subject.brand))) is None:
            rules = [
                rule
                for rule in self._rules.values()
                if rule.scope is scope and rule.watches(subject.brand, self._competitors)
            ]
            known = self._empty[scope, subject.brand] = list(map(Windows, rules))
        return known

    # -- memory --------------------------------------------------------------------------------------------------

    def _take(self, subject: Subject) -> _Held | None:
        if subject.discussion_id is None:
            return self._brands.pop(subject, None)
        held = self._discussions.pop(subject, None)
        self._numbers -= held.numbers if held else 0
        return held

    def _keep(self, subject: Subject, held: _Held) -> None:
        if subject.discussion_id is None:
            self._brands[subject] = held
            return
        self._discussions[subject] = held
        self._numbers += held.numbers
        while self._numbers > MOST_NUMBERS or len(self._discussions) > MOST_DISCUSSIONS:
            _, given_up = self._discussions.popitem(last=False)
            self._numbers -= given_up.numbers
