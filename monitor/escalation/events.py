"""What can happen to an escalation, what follows from it, and why: the words of the state machine and its callers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from monitor.model import Escalation, Outcome, Severity
from monitor.wording.text import Text


class TimerKind(StrEnum):
    """`hold`: what waits for a team's hours or a mute's end may be said. `tier`: nobody has answered for so long."""

    WAIT_FIRST = "wait_first"
    HOLD = "hold"
    TIER = "tier"
    REPEAT = "repeat"
    REMIND = "remind"
    REOPEN = "reopen"
    SNOOZE = "snooze"
    BUNDLE = "bundle"


class Reason(StrEnum):
    """Why a transition happened, or why nothing did: stored in the audit log, shown by `escalations show`."""

    WAIT_OVER = "the first wait is over and the condition still holds"
    CONDITION_GONE = "the condition no longer held when the first wait was over"
    OUTSIDE_HOURS = "the team is not there yet"
    MUTED = "the rule is muted"
    MAY_SPEAK = "the team is there and no mute is left"
    TOLD = "its first message stands in the channel"
    NOBODY_TOOK_IT = "nobody has taken it in time"
    NOBODY_ANSWERED = "nobody has answered in time"
    IN_ANY_CASE = "this team is told in any case"
    STILL_OPEN = "nobody has taken it yet"
    STILL_HELD = "acknowledged, but not resolved yet"
    SEVERITY_UP = "a more severe rule fired"
    MORE_RULES = "another rule fired on the same discussion"
    NEWS = "there are new mentions"
    BUNDLED = "new mentions were gathered for one message"
    NEW_MATCH = "the rule fired again soon after it was resolved"
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    HANDED_OVER = "handed over"
    ANSWERED = "one of our own accounts has answered"
    CANNOT_BE_TOLD = "its first message cannot be sent; its tiers count all the same"
    CORRECTED = "mentions were corrected; its rules still fire"
    READ = "the guideline was read"
    NOTHING_TO_CORRECT = "there is no such mention to correct"
    ALREADY_CORRECTED = "there is nothing left to correct in these mentions"
    ALREADY_READ = "this version of the guideline was read already"
    ALREADY_THEIRS = "this team has it already"
    SNOOZED = "snoozed"
    SNOOZE_OVER = "the snooze is over"
    NOT_RESOLVED_IN_TIME = "acknowledged, but not resolved in time"
    RESOLVED = "resolved"
    NOTHING_NEW = "nothing to do"
    OLD_TIMER = "the timer belongs to an earlier state"
    ALREADY_ENDED = "it has ended already"
    ALREADY_ACKNOWLEDGED = "it is acknowledged already"


# -- events ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule fired again on the same subject, or one that had to be silent may speak now; the clockwork is that rule's.
    `added`: it had not fired on this escalation before."""

    rule_id: str
    severity: Severity
    added: bool


@dataclass(frozen=True, slots=True)
class NewMentions:
    """Mentions came in that nobody has been told of."""


@dataclass(frozen=True, slots=True)
class Told:
    """Its first message was confirmed to stand in the channel: from now on its tiers count."""


@dataclass(frozen=True, slots=True)
class CannotBeTold:
    """Its first message was refused wherever it may stand: its tiers count all the same, for their channels may be
    better."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One of our own accounts has spoken in the discussion, `at` that time: what waits for an answer no longer does."""

    at: datetime


@dataclass(frozen=True, slots=True)
class TimerDue:
    """`holds`: whether the rule's condition still holds, asked when WAIT_FIRST is due."""

    kind: TimerKind
    generation: int
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Acknowledge:
    by: str


@dataclass(frozen=True, slots=True)
class Assign:
    by: str
    to: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """To another team, which is told at once; the clockwork is that of its rule with this team as the first tier's."""

    by: str
    team: str


@dataclass(frozen=True, slots=True)
class Snooze:
    by: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Resolve:
    by: str
    outcome: Outcome
    note: str = ""


Event = (
    Fired | NewMentions | Told | CannotBeTold | Answered | TimerDue | Acknowledge | Assign | HandOver | Snooze | Resolve
)

# -- effects -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Of two of one kind the earlier stands: news that keep coming must not put off the message about them."""

    kind: TimerKind
    due_at: datetime


@dataclass(frozen=True, slots=True)
class StopTimers:
    """Those of `kinds`, or all of the state that ended; BUNDLE goes on, for the news it gathered must still be told,
    and HOLD, for a rule that had to be silent must still speak."""

    kinds: tuple[TimerKind, ...] = ()


@dataclass(frozen=True, slots=True)
class SendRoot:
    """The one message of this escalation; `text` is said on it."""

    text: Text | None = None


@dataclass(frozen=True, slots=True)
class SendUpdate:
    """Bring that message up to date."""


@dataclass(frozen=True, slots=True)
class SendReply:
    """Tell the thread: the mentions that are new since it was last told, headed by `text`. `call`: with a call to the
    team of the present tier, as that tier asks; `remind`: with one to whoever has it."""

    text: Text | None = None
    call: bool = False
    remind: bool = False


@dataclass(frozen=True, slots=True)
class CallTier:
    """Tell the team of this tier (counted from 1) where it is at home."""

    tier: int


Effect = StartTimer | StopTimers | SendRoot | SendUpdate | SendReply | CallTier


@dataclass(frozen=True, slots=True)
class Decision:
    escalation: Escalation
    effects: tuple[Effect, ...]
    reason: Reason
