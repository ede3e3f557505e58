"""What the things of an escalation are called, and so many of them, in lower case: texts that are still to be said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from monitor.model import Label, Outcome, Severity, State
from monitor.wording.text import Text, many, say

SEVERITIES: Mapping[Severity, Text] = {
    Severity.LOW: say("low"),
    Severity.MEDIUM: say("medium"),
    Severity.HIGH: say("high"),
    Severity.CRITICAL: say("critical"),
}
LABELS: Mapping[Label, Text] = {
    Label.NEGATIVE: say("negative"),
    Label.NEUTRAL: say("neutral"),
    Label.POSITIVE: say("positive"),
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
#: The conditions of a rule, by their keys in its file.
CONDITIONS: Mapping[str, Text] = {
    "negative_mentions": say("negative mentions"),
    "negative_share": say("negative share"),
    "spike": say("sudden rise"),
    "author_reach": say("loud voice"),
}

# -- so many of them: `counted(MANY[…], 3)` -----------------------------------------------------------------------

MANY_SEVERE: Mapping[Severity, Text] = {
    Severity.LOW: many("{count} low", "{count} low", 0),
    Severity.MEDIUM: many("{count} medium", "{count} medium", 0),
    Severity.HIGH: many("{count} high", "{count} high", 0),
    Severity.CRITICAL: many("{count} critical", "{count} critical", 0),
}
MANY_IN_STATE: Mapping[State, Text] = {
    State.PENDING: many("{count} pending", "{count} pending", 0),
    State.HELD: many("{count} held", "{count} held", 0),
    State.OPEN: many("{count} open", "{count} open", 0),
    State.ACKNOWLEDGED: many("{count} acknowledged", "{count} acknowledged", 0),
    State.SNOOZED: many("{count} snoozed", "{count} snoozed", 0),
    State.RESOLVED: many("{count} resolved", "{count} resolved", 0),
    State.DROPPED: many("{count} dropped", "{count} dropped", 0),
}
#: Of alerts.
MANY_ENDED: Mapping[Outcome, Text] = {
    Outcome.ANSWERED: many("{count} answered", "{count} answered", 0),
    Outcome.NOT_ABOUT_US: many("{count} not about us", "{count} not about us", 0),
    Outcome.NOT_NEGATIVE: many("{count} not negative", "{count} not negative", 0),
    Outcome.NO_ACTION: many("{count} without action", "{count} without action", 0),
}


def counted(many: Text, count: int) -> Text:
    return replace(many, values={"count": count})


def team_name(team: str) -> Text:
    """ "team legal", "il team legal"."""
    return say("team {name}", name=team)
