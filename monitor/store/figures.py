"""The figures of a stretch of time: what was said, what alerted, how fast people were told and acted, how often a rule
was wrong, what was not seen. It only reads; what is made of them stands elsewhere.

An alert is an escalation that came to life in that stretch and was told, or waits to be; those that were dropped before
are counted apart. When somebody acted is read from the audit log, which keeps what a reopened escalation has forgotten.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from monitor.escalation.events import Reason
from monitor.figures import BrandFigures, Figures, GapFigures, RuleFigures, Times
from monitor.model import Label, Outcome, Severity, State
from monitor.store.times import from_text, to_text

#: The audit log's words for what only a person does; the first of these is when somebody took it.
TAKEN = (State.ACKNOWLEDGED, State.SNOOZED, State.RESOLVED)
#: Outcomes and corrections by which people say that an alert was wrong.
WRONG = (Outcome.NOT_ABOUT_US, Outcome.NOT_NEGATIVE)
T = TypeVar("T")


def figures(connection: sqlite3.Connection, since: datetime, until: datetime) -> Figures:
    stretch = [to_text(since), to_text(until)]
    alerts = _alerts(connection, stretch)
    told = [alert for alert in alerts if alert.state is not State.DROPPED]
    resolved = [alert for alert in told if alert.state is State.RESOLVED]
    return Figures(
        since=since,
        until=until,
        brands=_brands(connection, stretch),
        alerts=_counted([alert.severity for alert in told], tuple(reversed(Severity))),
        dropped=len(alerts) - len(told),
        alive=sum(alert.state is not State.RESOLVED for alert in told),
        told=Times.among([_length(alert.created_at, alert.told_at) for alert in told]),
        taken=Times.among([_length(alert.begun, alert.taken_at) for alert in told]),
        answered=Times.among([_length(alert.begun, alert.answered_at) for alert in told if alert.can_be_answered]),
        resolved=Times.among([_length(alert.begun, alert.resolved_at) for alert in told]),
        outcomes=_counted([alert.outcome for alert in resolved if alert.outcome], tuple(Outcome)),
        rules=of_rules(connection, since, until),
        corrections=_corrections(connection, stretch),
        gaps=_gaps(connection, since, until),
        sources=int(connection.execute("SELECT count(*) FROM cursors").fetchone()[0]),
    )


# -- what was said -----------------------------------------------------------------------------------------------


def _brands(connection: sqlite3.Connection, stretch: list[str]) -> tuple[BrandFigures, ...]:
    """Those with the most mentions first."""
    found = connection.execute(
        "SELECT m.brand, count(DISTINCT CASE WHEN NOT m.answer THEN m.discussion_id END) AS discussions,"
        " count(DISTINCT CASE WHEN NOT m.answer AND d.started_at >= ?1 THEN m.discussion_id END) AS begun,"
        " sum(NOT m.answer) AS mentions, sum(NOT m.answer AND m.label IS ?3) AS negative, sum(m.answer) AS answers"
        # Brand by brand, so that the index by brand and time is used.
        " FROM (SELECT DISTINCT brand FROM discussions) b CROSS JOIN mentions m ON m.brand = b.brand"
        " JOIN discussions d ON d.id = m.discussion_id"
        " WHERE m.at >= ?1 AND m.at < ?2 AND NOT m.dismissed GROUP BY m.brand ORDER BY mentions DESC, m.brand",
        [*stretch, Label.NEGATIVE],
    )
    return tuple(
        BrandFigures(row["brand"], row["discussions"], row["begun"], row["mentions"], row["negative"], row["answers"])
        for row in found
    )


# -- what alerted ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Alert:
    severity: Severity
    state: State
    outcome: Outcome | None
    created_at: datetime
    told_at: datetime | None
    taken_at: datetime | None
    answered_at: datetime | None
    resolved_at: datetime | None
    can_be_answered: bool

    @property
    def begun(self) -> datetime:
        return self.told_at or self.created_at


def _alerts(connection: sqlite3.Connection, stretch: list[str]) -> list[_Alert]:
    marks = ",".join(f"'{state}'" for state in TAKEN)
    found = connection.execute(
        "SELECT e.severity, e.state, e.outcome, e.created_at, e.discussion_id, e.resolved_at,"
        # In a storm a summary told of it.
        " (SELECT min(coalesce(f.sent_at, o.sent_at)) FROM outbox o LEFT JOIN outbox f ON f.id = o.folded_into"
        "  WHERE o.escalation_id = e.id AND o.kind = 'root') AS told_at,"
        f" (SELECT min(at) FROM events WHERE escalation_id = e.id AND what IN ({marks})) AS taken_at,"
        # An escalation waits anew for an answer when it is handed over or opened again; the log keeps the first.
        " (SELECT min(json_extract(data, '$.answered_at')) FROM events WHERE escalation_id = e.id AND why = ?3)"
        " AS answered_at"
        " FROM escalations e WHERE e.created_at >= ?1 AND e.created_at < ?2 AND e.state <> 'pending' ORDER BY e.id",
        [*stretch, Reason.ANSWERED],
    )
    return [
        _Alert(
            severity=Severity(row["severity"]),
            state=State(row["state"]),
            outcome=Outcome(row["outcome"]) if row["outcome"] else None,
            created_at=from_text(row["created_at"]),
            told_at=_time(row["told_at"]),
            taken_at=_time(row["taken_at"]),
            answered_at=_time(row["answered_at"]),
            # One that was opened again since keeps how it had ended.
            resolved_at=_time(row["resolved_at"]) if row["state"] == State.RESOLVED else None,
            can_be_answered=row["discussion_id"] is not None,
        )
        for row in found
    ]


def _length(start: datetime, end: datetime | None) -> timedelta | None:
    """Never less than nothing: an answer may stand there before anybody was told."""
    return max(end - start, timedelta()) if end else None


def _time(text: str | None) -> datetime | None:
    return from_text(text) if text else None


def _counted(found: list[T], known: tuple[T, ...]) -> dict[T, int]:
    return {one: found.count(one) for one in known if one in found}


# -- how often it was wrong --------------------------------------------------------------------------------------


def of_rules(connection: sqlite3.Connection, since: datetime, until: datetime | None = None) -> tuple[RuleFigures, ...]:
    """Of each rule that alerted then, or whose alerts were corrected then; those that alerted most first."""
    # Any time is less than a text that begins with a letter.
    stretch = [to_text(since), to_text(until) if until else "now"]
    alerts = connection.execute(
        "SELECT r.rule_id, count(*), sum(e.state = 'resolved'),"
        " sum(e.state = 'resolved' AND coalesce(e.outcome, '') IN (?3, ?4))"
        " FROM escalation_rules r JOIN escalations e ON e.id = r.escalation_id"
        " WHERE e.created_at >= ?1 AND e.created_at < ?2 AND e.state NOT IN ('pending', 'dropped') GROUP BY r.rule_id",
        [*stretch, *WRONG],
    )
    found = {row[0]: RuleFigures(*row) for row in alerts}
    corrected = connection.execute(
        "SELECT l.rule_id, count(DISTINCT l.mention_id) FROM labels l"
        f" WHERE l.rule_id IS NOT NULL AND l.at >= ? AND l.at < ? AND {_STANDS} GROUP BY l.rule_id",
        stretch,
    )
    for rule_id, count in corrected:
        found[rule_id] = replace(found.get(rule_id, RuleFigures(rule_id)), corrected=count)
    return tuple(sorted(found.values(), key=lambda rule: (-rule.alerts, rule.rule_id)))


#: A correction that has not been taken back, by the latest word on its mention, and whose words have not changed.
_STANDS = (
    "l.correction NOT IN ('', 'negative') AND NOT l.outdated"
    " AND l.id = (SELECT max(id) FROM labels WHERE mention_id = l.mention_id)"
)


def _corrections(connection: sqlite3.Connection, stretch: list[str]) -> dict[str, int]:
    """How many mentions people corrected, by what they said of them."""
    found = connection.execute(
        f"SELECT l.correction, count(*) FROM labels l WHERE l.at >= ? AND l.at < ? AND {_STANDS} GROUP BY l.correction",
        stretch,
    )
    return {row[0]: row[1] for row in found}


# -- what was not seen -------------------------------------------------------------------------------------------


def _gaps(connection: sqlite3.Connection, since: datetime, until: datetime) -> tuple[GapFigures, ...]:
    """The source with the longest time unseen first; only what lies inside the stretch counts."""
    found = connection.execute(
        "SELECT v.source, coalesce(c.name, v.source) AS name, v.start, v.end FROM coverage v"
        " LEFT JOIN cursors c ON c.source = v.source WHERE NOT v.complete AND v.end > ? AND v.start < ?"
        " ORDER BY v.source, v.start",
        [to_text(since), to_text(until)],
    )
    by_source: dict[tuple[str, str], list[tuple[datetime, datetime]]] = {}
    for row in found:
        start, end = max(from_text(row["start"]), since), min(from_text(row["end"]), until)
        stretches = by_source.setdefault((row["source"], row["name"]), [])
        if stretches and start <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(stretches[-1][1], end))
        else:
            stretches.append((start, end))
    made = [
        GapFigures(source, name, len(gaps), sum((end - start for start, end in gaps), timedelta()),
                   max(end - start for start, end in gaps))
        for (source, name), gaps in by_source.items()
    ]  # fmt: skip
    return tuple(sorted(made, key=lambda gap: (-gap.length, gap.source)))
