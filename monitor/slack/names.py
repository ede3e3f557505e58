"""What the states, severities and outcomes of the vocabulary are called where people read of them."""

from __future__ import annotations

from monitor.model import Label, Outcome, Severity, State
from monitor.wording.words import Words

SEVERITY_MARKS = {Severity.LOW: "🔵", Severity.MEDIUM: "🟡", Severity.HIGH: "🟠", Severity.CRITICAL: "🔴"}
STATE_MARKS = {
    State.PENDING: "⏳", State.HELD: "🌙", State.ACKNOWLEDGED: "👀", State.SNOOZED: "💤", State.RESOLVED: "✅",
    State.DROPPED: "⚪",
}  # fmt: skip


def mark_of(state: State, severity: Severity) -> str:
    return STATE_MARKS.get(state, SEVERITY_MARKS[severity])


def severity_name(severity: Severity, words: Words) -> str:
    """How severe an escalation is, in lower case."""
    match severity:
        case Severity.LOW:
            return words.say("low")
        case Severity.MEDIUM:
            return words.say("medium")
        case Severity.HIGH:
            return words.say("high")
    return words.say("critical")


def state_name(state: State, words: Words) -> str:
    """What has become of an escalation, in lower case."""
    match state:
        case State.PENDING:
            return words.say("pending")
        case State.HELD:
            return words.say("held")
        case State.OPEN:
            return words.say("open")
        case State.ACKNOWLEDGED:
            return words.say("acknowledged")
        case State.SNOOZED:
            return words.say("snoozed")
        case State.RESOLVED:
            return words.say("resolved")
    return words.say("dropped")


def outcome_name(outcome: Outcome, words: Words) -> str:
    """How it ended, in lower case."""
    match outcome:
        case Outcome.ANSWERED:
            return words.say("answered")
        case Outcome.NOT_ABOUT_US:
            return words.say("not about us")
        case Outcome.NOT_NEGATIVE:
            return words.say("not negative")
    return words.say("no action")


def label_name(label: Label, words: Words) -> str:
    match label:
        case Label.NEGATIVE:
            return words.say("negative")
        case Label.POSITIVE:
            return words.say("positive")
    return words.say("neutral")


def condition_name(name: str, words: Words) -> str:
    """A condition of a rule that alerted, by its key in the file."""
    match name:
        case "negative_mentions":
            return words.say("negative mentions")
        case "negative_share":
            return words.say("negative share")
        case "spike":
            return words.say("sudden rise")
        case "author_reach":
            return words.say("loud voice")
    return name.replace("_", " ")


def capital(text: str) -> str:
    """With its first letter as at the start of a sentence."""
    return text[:1].upper() + text[1:]
