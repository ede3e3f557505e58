"""A backtest as JSON: everything, under names that stay."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from monitor.rules.backtesting.hindsight import Backtest, Side, Tally, Told
from monitor.rules.backtesting.summary import assumptions, notes, verdict


def as_json(report: Backtest) -> dict[str, Any]:
    """Everything; days without alerts are left out of `days`."""
    return {
        "since": report.since.isoformat(),
        "until": report.until.isoformat(),
        "weeks": round(report.weeks, 3),
        "mentions": report.mentions,
        "verdict": verdict(report),
        "notes": notes(report),
        "new": _side_json(report.new, report),
        "old": _side_json(report.old, report) if report.old else None,
        "rules": [
            {
                "id": row.rule_id,
                "title": row.title,
                "severity": row.severity,
                "status": row.status,
                "changed": row.changed,
                "reworded": row.reworded,
                "old": _tally_json(row.old, report),
                "new": _tally_json(row.new, report),
                "added": row.added,
                "gone": row.gone,
            }
            for row in report.rules
        ],
        "added": list(map(_told_json, report.added)),
        "gone": list(map(_told_json, report.gone)),
        "missed": [
            {
                "at": missed.at.isoformat(),
                "brand": missed.brand,
                "discussion": missed.talk.id if missed.talk else None,
                "title": missed.talk.title if missed.talk else None,
                "url": missed.talk.url if missed.talk else None,
                "escalation": missed.escalation_id,
                "strongly_negative": missed.talk.negative if missed.talk and missed.escalation_id is None else None,
            }
            for missed in report.missed
        ],
        "searched": {"topics": report.searched.topics, "texts": report.searched.texts} if report.searched else None,
        "assumptions": assumptions(report),
    }


def _side_json(side: Side, report: Backtest) -> dict[str, Any]:
    return {
        "name": side.name,
        "messages": side.tally.number,
        "tally": _tally_json(side.tally, report),
        "told": list(map(_told_json, side.told)),
        "in_test": list(map(_told_json, side.tests)),
    }


def _tally_json(tally: Tally | None, report: Backtest) -> dict[str, Any] | None:
    if tally is None:
        return None
    precision = tally.precision
    return {
        "number": tally.number,
        "a_week": round(tally.number / report.weeks, 2),
        "confirmed": tally.confirmed,
        "dismissed": tally.dismissed,
        "unknown": tally.unknown,
        "precision": round(precision, 3) if precision is not None else None,
        "noise_a_week": round(tally.dismissed / report.weeks, 2),
        "outside_hours": tally.held,
        "days": _days_json(tally.days),
    }


def _days_json(days: Mapping[date, int]) -> dict[str, int]:
    return {day.isoformat(): days[day] for day in sorted(days)}


def _told_json(told: Told) -> dict[str, Any]:
    message = told.message
    return {
        "at": message.at.isoformat(),
        "until": message.until.isoformat(),
        "told_at": message.told_at.isoformat(),
        "held": message.held,
        "in_test": message.first.test,
        "severity": message.severity,
        "brand": message.first.brand,
        "discussion": message.first.discussion_id,
        "title": told.talk.title if told.talk else None,
        "url": told.talk.url if told.talk else None,
        "opinion": told.opinion,
        "escalation": told.escalation_id,
        "alerts": [
            {
                "rule": alert.rule_id,
                "at": alert.at.isoformat(),
                "until": alert.until.isoformat(),
                "reasons": [{"name": r.name, "asked": r.asked, "found": r.found} for r in alert.reasons],
            }
            for alert in message.alerts
        ],
    }
