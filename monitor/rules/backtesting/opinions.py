"""What people said of that which alerts: how they ended escalations, and how they corrected mentions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.model import Label, Outcome
from monitor.rules.backtesting.backtest import Alert

#: An alert of the replay is taken for an escalation that people have ended if it comes so near to its life.
NEAR = timedelta(days=1)

_CONFIRMED = (Outcome.ANSWERED, Outcome.NO_ACTION)


class Opinion(StrEnum):
    """`unknown`: nobody has been told of it, or nobody has said how it ended."""

    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Past:
    """An escalation that there really was. `until` is None while it is alive."""

    id: int
    brand: str
    discussion_id: int | None
    rule_id: str
    at: datetime
    until: datetime | None
    outcome: Outcome | None

    @property
    def opinion(self) -> Opinion:
        if self.outcome is None:
            return Opinion.UNKNOWN
        return Opinion.CONFIRMED if self.outcome in _CONFIRMED else Opinion.DISMISSED


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person said how a mention feels; `at` is the mention's time."""

    discussion_id: int
    at: datetime
    label: Label


@dataclass(frozen=True, slots=True)
class Talk:
    """A discussion as a report names it; `negative` counts its strongly negative mentions in the time in question."""

    id: int
    brand: str
    title: str
    url: str | None
    at: datetime
    negative: int = 0


class People:
    """What people said: how they ended escalations, and where they did not, how they corrected mentions."""

    def __init__(self, past: Iterable[Past], corrections: Iterable[Correction] = ()) -> None:
        self.past = tuple(past)
        self._of: dict[tuple[str, int | None], list[Past]] = defaultdict(list)
        for one in self.past:
            self._of[one.brand, one.discussion_id].append(one)
        self._corrections: dict[int, list[Correction]] = defaultdict(list)
        for correction in corrections:
            self._corrections[correction.discussion_id].append(correction)

    def escalation(self, alert: Alert) -> Past | None:
        """The one that people were told of on the same discussion, or about the same brand, at about the time."""
        found = [one for one in self._of.get((alert.brand, alert.discussion_id), ()) if near(alert, one)]
        # One that has ended says more than one that has not; of several the same rule's, then the nearest.
        return max(
            found,
            key=lambda one: (one.outcome is not None, one.rule_id == alert.rule_id, -abs(one.at - alert.at)),
            default=None,
        )

    def opinion(self, alert: Alert) -> Opinion:
        escalation = self.escalation(alert)
        if escalation is not None and escalation.outcome is not None:
            return escalation.opinion
        said = [
            one.label
            for one in self._corrections.get(alert.discussion_id or 0, ())
            if alert.at - NEAR <= one.at <= alert.until + NEAR
        ]
        if not said:
            return Opinion.UNKNOWN
        return Opinion.CONFIRMED if Label.NEGATIVE in said else Opinion.DISMISSED


def near(alert: Alert, past: Past) -> bool:
    return past.at - NEAR <= alert.until and (past.until is None or alert.at <= past.until + NEAR)
