"""What states, outcomes and severities are called when they are counted. Pure."""

from __future__ import annotations

from monitor.model import Outcome, Severity, State
from monitor.wording.words import Words


def counted(state: State, count: int, words: Words) -> str:
    """ "3 open"."""
    match state:
        case State.PENDING:
            return words.many("{count} pending", "{count} pending", count)
        case State.HELD:
            return words.many("{count} held", "{count} held", count)
        case State.OPEN:
            return words.many("{count} open", "{count} open", count)
        case State.ACKNOWLEDGED:
            return words.many("{count} acknowledged", "{count} acknowledged", count)
        case State.SNOOZED:
            return words.many("{count} snoozed", "{count} snoozed", count)
        case State.RESOLVED:
            return words.many("{count} resolved", "{count} resolved", count)
    return words.many("{count} dropped", "{count} dropped", count)


def of_severity(severity: Severity, count: int, words: Words) -> str:
    match severity:
        case Severity.CRITICAL:
            return words.many("{count} critical", "{count} critical", count)
        case Severity.HIGH:
            return words.many("{count} high", "{count} high", count)
        case Severity.MEDIUM:
            return words.many("{count} medium", "{count} medium", count)
    return words.many("{count} low", "{count} low", count)


def of_outcome(outcome: Outcome, count: int, words: Words) -> str:
    match outcome:
        case Outcome.ANSWERED:
            return words.many("{count} answered", "{count} answered", count)
        case Outcome.NOT_ABOUT_US:
            return words.many("{count} not about us", "{count} not about us", count)
        case Outcome.NOT_NEGATIVE:
            return words.many("{count} not negative", "{count} not negative", count)
    return words.many("{count} left alone", "{count} left alone", count)
