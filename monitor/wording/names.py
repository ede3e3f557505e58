"""What the things of an escalation are called inside a sentence, as texts that are still to be said."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.model import Outcome, Severity, State
from monitor.wording.text import Text, say

SEVERITIES: Mapping[Severity, Text] = {
    Severity.LOW: say("low"),
    Severity.MEDIUM: say("medium"),
    Severity.HIGH: say("high"),
    Severity.CRITICAL: say("critical"),
}

STATES: Mapping[State, Text] = {
    State.PENDING: say("pending"),
    State.HELD: say("held"),
    State.OPEN: say("open"),
    State.ACKNOWLEDGED: say("acknowledged"),
    State.SNOOZED: say("snoozed"),
    State.RESOLVED: say("resolved"),
    State.DROPPED: say("dropped"),
}
OUTCOMES: Mapping[Outcome, Text] = {
    Outcome.ANSWERED: say("answered"),
    Outcome.NOT_ABOUT_US: say("not about us"),
    Outcome.NOT_NEGATIVE: say("not negative"),
    Outcome.NO_ACTION: say("no action"),
}


def team_name(team: str) -> Text:
    """ "team legal", "il team legal"."""
    return say("team {name}", name=team)
