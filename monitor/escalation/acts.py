"""What a person may do with an escalation, whether by a button in Slack or on the command line, and what came of it.

Most acts are events of the state machine; a correction says something about mentions and may end the escalation, and
reading a guideline changes nothing but is recorded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from monitor.escalation.events import Acknowledge, Assign, HandOver, Reason, Resolve, Snooze
from monitor.model import Escalation

#: What the audit log calls what changes nothing of the escalation itself; the last, what a team says in a drill.
READ, CORRECTED, ANSWERED = "read the guideline", "corrected", "answered"


_PERSON = re.compile(r"(.+) \((command line|Slack)(?: ([A-Z0-9]+))?\)", re.DOTALL)


class Channel(StrEnum):
    """By what somebody acts."""

    SLACK = "Slack"
    COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts: as shown in messages, and, from Slack, their id there."""

    name: str
    channel: Channel
    slack_id: str | None = None

    def __str__(self) -> str:
        """As the audit log has it: "anna (Slack U0123456789)"."""
        return f"{self.name} ({self.channel}{f' {self.slack_id}' if self.slack_id else ''})"


def logged_person(logged: str) -> Person | None:
    """Whom the audit log means; None for a part of the machine."""
    found = _PERSON.fullmatch(logged)
    return Person(found[1], Channel(found[2]), found[3]) if found else None


class Correction(StrEnum):
    """What a person says of a mention that the model called negative; `negative` takes back what was said before."""

    NOT_NEGATIVE = "not negative"
    NOT_ABOUT_US = "not about us"
    NEGATIVE = "negative"


@dataclass(frozen=True, slots=True)
class Correct:
    """`mention_ids`: those that the person saw; empty for those that a message about it would quote now."""

    by: str
    correction: Correction
    mention_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadGuideline:
    """`version`: the one that was read; None for the one that the escalation keeps."""

    by: str
    version: str | None = None


Act = Acknowledge | Assign | Snooze | HandOver | Resolve | Correct | ReadGuideline


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an act: the escalation as it is now, whether anything changed, and why (not). `corrected`: how many
    mentions a correction changed."""

    escalation: Escalation
    changed: bool
    reason: Reason
    corrected: int = 0
