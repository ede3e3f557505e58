"""The signs by which severities, states and feelings are told apart at a glance."""

from __future__ import annotations

from monitor.model import Label, Severity, State

SEVERITY_SIGNS = {Severity.LOW: "🔵", Severity.MEDIUM: "🟡", Severity.HIGH: "🟠", Severity.CRITICAL: "🔴"}
#: What is open has none: its severity is what matters.
STATE_SIGNS = {
    State.PENDING: "⏳", State.HELD: "🌙", State.ACKNOWLEDGED: "👀", State.SNOOZED: "💤", State.RESOLVED: "✅",
    State.DROPPED: "⚪",
}  # fmt: skip
LABEL_SIGNS = {Label.NEGATIVE: "🔴", Label.NEUTRAL: "⚪", Label.POSITIVE: "🟢"}


def sign_of(state: State, severity: Severity) -> str:
    return STATE_SIGNS.get(state, SEVERITY_SIGNS[severity])
