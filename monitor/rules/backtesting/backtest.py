"""What rules would have alerted: plays the stored mentions of one brand through several sets of rules at once.

Each mention counts as seen when it was made. An alert begins when a rule fires through a negative mention and goes on
as long as the rule fires again within its `reopen_within`; what people would have done about it nobody knows, so that
it ends by itself. Mutes are not regarded. How two sets compare, and what people said of it, is judged in hindsight.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.model import Condition, Scope, Severity
from monitor.rules.counted import Counted, Totals
from monitor.rules.load import RuleSet
from monitor.rules.rule import Rule, Status
from monitor.rules.snapshot import snapshot_of
from monitor.rules.times import NOTHING, Covered
from monitor.rules.windows import Windows, horizon

#: How often what no later mention can need is given up.
SWEEP = timedelta(hours=6)
#: Where nobody asks how large a discussion is.
_UNASKED = Totals(0, 0)


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule that fires on a discussion, or on a brand (then `discussion_id` is None): an escalation that would have
    opened. `test`: its rule is being tested, nobody would have been told.

    `until` is when the rule fired last, `told_at` when its first team would have been told: later than `at` where that
    was not there. `reopen_within` is the rule's.
    """

    rule_id: str
    severity: Severity
    brand: str
    discussion_id: int | None
    at: datetime
    until: datetime
    told_at: datetime
    reasons: tuple[Condition, ...]
    reopen_within: timedelta
    test: bool = False

    @property
    def held(self) -> bool:
        return self.told_at > self.at


@dataclass(frozen=True, slots=True)
class Message:
    """What people would have seen: all alerts on a discussion at a time make one message, in the order of `alerts`.

    Those of a rule about a brand as a whole, and of a rule that is being tested, stand for themselves.
    """

    alerts: tuple[Alert, ...]

    @property
    def first(self) -> Alert:
        return self.alerts[0]

    @property
    def at(self) -> datetime:
        return self.first.at

    @property
    def until(self) -> datetime:
        return max(alert.until for alert in self.alerts)

    @property
    def told_at(self) -> datetime:
        return min(alert.told_at for alert in self.alerts)

    @property
    def held(self) -> bool:
        return self.told_at > self.at

    @property
    def severity(self) -> Severity:
        return max((alert.severity for alert in self.alerts), key=lambda severity: severity.rank)

    @property
    def rules(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(alert.rule_id for alert in self.alerts))

    @property
    def reopen_within(self) -> timedelta:
        return max(alert.reopen_within for alert in self.alerts)


def subject(alert: Alert) -> Hashable:
    """Alerts of one subject make one message while they go on."""
    if alert.test or alert.discussion_id is None:
        return alert.brand, alert.discussion_id, alert.rule_id, alert.test
    return alert.brand, alert.discussion_id


def messages(alerts: Iterable[Alert]) -> list[Message]:
    """In the order of their times."""
    going_on: dict[Hashable, list[Alert]] = {}
    ends: dict[Hashable, datetime] = {}
    made: list[list[Alert]] = []
    for alert in sorted(alerts, key=lambda alert: alert.at):
        about = subject(alert)
        if about in ends and alert.at - ends[about] <= alert.reopen_within:
            going_on[about].append(alert)
            ends[about] = max(ends[about], alert.until)
        else:
            going_on[about], ends[about] = [alert], alert.until
            made.append(going_on[about])
    return [Message(tuple(alerts)) for alerts in made]


def reach_back(sets: Iterable[RuleSet]) -> timedelta:
    """How long before the time in question a replay must begin to know what was going on then."""
    rules = [rule for rules in sets for rule in rules.rules if rule.status is not Status.OFF]
    return max((horizon(rule) + rule.timing.reopen_within for rule in rules), default=timedelta())


class Replay:
    """Takes the mentions of one brand in the order of their times and notes what each set of rules alerts.

    `covered` says what was read of the sources of a rule. What is held is dropped when it is no longer needed, every
    `sweep` of the time that is played: memory depends on how much is going on at a time, not on how much is stored.
    """

    def __init__(
        self,
        brand: str,
        sets: Sequence[RuleSet],
        competitors: Collection[str] = (),
        covered: Callable[[Rule], Covered] = lambda rule: NOTHING,
        *,
        sweep: timedelta = SWEEP,
    ) -> None:
        self._brand = brand
        self._sets = sets
        watching = [[rule for rule in rules.rules if rule.watches(brand, competitors)] for rules in sets]
        #: A rule that judges alike in two sets, or under two names, is asked once.
        self._watches: dict[Hashable, _Watch] = {}
        for rule in (rule for rules in watching for rule in rules):
            if _judgement(rule) not in self._watches:
                self._watches[_judgement(rule)] = _Watch(rule, covered(rule) if rule.asks_the_usual else NOTHING)
        self._watching = watching
        self._all = tuple(self._watches.values())
        self._floors = _Floors(watch.rule for watch in self._all) if any(watch.floor for watch in self._all) else None
        self._last: dict[int, datetime] = {}
        self._sweep = sweep
        self._sweep_at: datetime | None = None

    @property
    def idle(self) -> bool:
        """No rule watches the brand."""
        return not self._all

    @property
    def asks_for_totals(self) -> bool:
        """Whether it must know of discussions what was said in them before."""
        return self._floors is not None

    def known(self, discussion_id: int, author: str, mentions: int, reach: int) -> None:
        """Say before all else what an author has said in a discussion before the first mention that is played."""
        if self._floors is not None:
            self._floors.add(discussion_id, author, mentions, reach)

    def take(self, mention: Counted, discussion_id: int) -> None:
        at = mention.at
        if self._sweep_at is None or at >= self._sweep_at:
            self._forget(at)
            self._sweep_at = at + self._sweep
        self._last[discussion_id] = at
        totals = _UNASKED
        if self._floors is not None:
            totals = self._floors.add(discussion_id, mention.author, 1, mention.reach)
        for watch in self._all:
            watch.take(mention, discussion_id, totals)

    def alerts(self, number: int) -> list[Alert]:
        """What the set of this number has alerted, those of the time before included, rule by rule."""
        return [
            self._alert(rule, self._sets[number], episode)
            for rule in self._watching[number]
            for episode in self._watches[_judgement(rule)].episodes
        ]

    @property
    def held(self) -> int:
        """How many discussions and brands are held, for each rule."""
        return sum(len(watch.windows) for watch in self._all)

    def _alert(self, rule: Rule, rules: RuleSet, episode: _Episode) -> Alert:
        clock = snapshot_of(rule, rules.teams, None, "").clockwork()
        return Alert(
            rule_id=rule.id,
            severity=rule.severity,
            brand=self._brand,
            discussion_id=episode.discussion_id,
            at=episode.at,
            until=episode.until,
            told_at=clock.free_at(1, rule.severity, episode.at),
            reasons=episode.reasons,
            reopen_within=rule.timing.reopen_within,
            test=rule.status is Status.TEST,
        )

    def _forget(self, now: datetime) -> None:
        for watch in self._all:
            watch.forget(self._last, now)
        quiet = max((watch.quiet for watch in self._all), default=timedelta())
        self._last = {discussion: at for discussion, at in self._last.items() if now - at <= quiet}


def _judgement(rule: Rule) -> Hashable:
    """All of a rule that decides when it fires, and when anew."""
    return rule.match, rule.negative_if, rule.discussion, rule.alert_when_any, rule.scope, rule.timing.reopen_within


@dataclass(slots=True)
class _Episode:
    """A time in which a rule fires again and again."""

    discussion_id: int | None
    at: datetime
    until: datetime
    reasons: tuple[Condition, ...]


class _Watch:
    """One rule on all discussions of a brand, or on the brand itself (which has the number 0 here)."""

    __slots__ = (
        "_covered",
        "_empty",
        "_going_on",
        "_reopen",
        "_scoped",
        "episodes",
        "floor",
        "quiet",
        "rule",
        "windows",
    )

    def __init__(self, rule: Rule, covered: Covered) -> None:
        self.rule = rule
        self._covered = covered
        self._empty = Windows(rule)
        self._scoped = rule.scope is Scope.DISCUSSION
        self.floor = rule.discussion is not None
        self._reopen = rule.timing.reopen_within
        self._going_on: dict[int, _Episode] = {}
        self.windows: dict[int, Windows] = {}
        self.episodes: list[_Episode] = []
        #: After so long without a mention nothing of a discussion matters any more.
        self.quiet = max(horizon(rule), self._reopen)

    def take(self, mention: Counted, discussion_id: int, totals: Totals) -> None:
        number = discussion_id if self._scoped else 0
        windows = self.windows.get(number)
        if windows is None:
            # Most rules count few discussions at all.
            if not self.floor and not self._empty.counts(mention):
                return
            windows = self.windows[number] = self._empty.empty()
        if not self._scoped:
            totals = _UNASKED
        if windows.arrives(mention, totals, self._covered):
            self._fires(mention, number, windows, totals)

    def _fires(self, mention: Counted, number: int, windows: Windows, totals: Totals) -> None:
        at = mention.at
        going_on = self._going_on.get(number)
        if going_on is not None and at - going_on.until <= self._reopen:
            going_on.until = at
        elif windows.negative(mention):
            # What is over comes back through a negative mention only, not through a friendly word.
            reasons = windows.verdict(at, totals, self._covered).reasons
            episode = self._going_on[number] = _Episode(number or None, at, at, reasons)
            self.episodes.append(episode)

    def forget(self, last: dict[int, datetime], now: datetime) -> None:
        if not self._scoped:
            for windows in self.windows.values():
                windows.prune(now)
            return
        for number in [number for number in self.windows if now - last[number] > self.quiet]:
            del self.windows[number]
            self._going_on.pop(number, None)
        for windows in self.windows.values():
            windows.prune(now)


class _Floors:
    """How large discussions are, as far as any rule asks: what has reached all floors is not counted on."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        floors = [rule.discussion for rule in rules if rule.discussion is not None]
        self._mentions = max(floor.mentions for floor in floors)
        self._reach = max(floor.reach for floor in floors)
        self._totals: dict[int, Totals] = {}
        self._authors: dict[int, dict[str, int]] = {}

    def add(self, discussion_id: int, author: str, mentions: int, reach: int) -> Totals:
        known = self._totals.get(discussion_id, _UNASKED)
        if known.mentions >= self._mentions and known.reach >= self._reach:
            self._authors.pop(discussion_id, None)
            return known
        more = 0
        if known.reach < self._reach:
            authors = self._authors.setdefault(discussion_id, {})
            more = max(0, reach - authors.get(author, 0))
            authors[author] = max(reach, authors.get(author, 0))
        found = self._totals[discussion_id] = Totals(known.mentions + mentions, known.reach + more)
        return found
