"""What the things of an escalation are called inside a sentence, as texts that are still to be said."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.model import Severity
from monitor.wording.text import Text, say

SEVERITIES: Mapping[Severity, Text] = {
    Severity.LOW: say("low"),
    Severity.MEDIUM: say("medium"),
    Severity.HIGH: say("high"),
    Severity.CRITICAL: say("critical"),
}


def team_name(team: str) -> Text:
    """ "team legal", "il team legal"."""
    return say("team {name}", name=team)
