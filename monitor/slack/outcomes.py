"""What a person is told, alone, of what came of their click; nothing where the message shows it by itself."""

from __future__ import annotations

from monitor.escalation.acts import Act, Correct, Correction, Done
from monitor.escalation.events import Acknowledge, Reason
from monitor.model import Escalation, State
from monitor.slack.tags import Deed
from monitor.wording.text import Text, many, say


def outcome(act: Act, done: Done, name: str) -> Text | None:
    """`name` is that of whoever acted."""
    if isinstance(act, Correct) and done.corrected:
        return _corrected(act, done)
    return None if done.changed else _unchanged(act, done, name)


def _corrected(act: Correct, done: Done) -> Text:
    if done.escalation.state is State.RESOLVED and done.reason is not Reason.ALREADY_ENDED:
        return many(
            "{count} mention was corrected. No rule fires on what is left: it is resolved.",
            "{count} mentions were corrected. No rule fires on what is left: it is resolved.",
            done.corrected,
        )
    if act.correction is Correction.NEGATIVE:
        return many("The correction of {count} mention was taken back.",
                    "The corrections of {count} mentions were taken back.", done.corrected)  # fmt: skip
    if done.reason is Reason.ALREADY_ENDED:
        return many("{count} mention was corrected.", "{count} mentions were corrected.", done.corrected)
    return many(
        "{count} mention was corrected. The rules still fire on the others: it stays open.",
        "{count} mentions were corrected. The rules still fire on the others: it stays open.",
        done.corrected,
    )


def _unchanged(act: Act, done: Done, name: str) -> Text:
    escalation = done.escalation
    match done.reason:
        case Reason.ALREADY_ENDED:
            return ended(escalation, name)
        case Reason.ALREADY_ACKNOWLEDGED if isinstance(act, Acknowledge):
            who = escalation.assignee or escalation.acknowledged_by
            if who and who != name:
                return say("{who} has it already. Nothing was changed.", who=who)
            return say("You have it already.")
        case Reason.NOTHING_TO_CORRECT:
            return say("None of these mentions can be corrected any more. Nothing was changed.")
        case Reason.ALREADY_CORRECTED:
            return say("These mentions were corrected already. Nothing was changed.")
        case Reason.ALREADY_THEIRS:
            return say("That team has it already. Nothing was changed.")
        case Reason.ALREADY_READ:
            return say("You have read this guideline already.")
    return say("It is so already. Nothing was changed.")


def ended(escalation: Escalation, name: str) -> Text:
    """`name` is that of whoever wanted to act."""
    who = escalation.resolved_by
    if who and who != name:
        return say("{who} has resolved it already. Nothing was changed.", who=who)
    return say("It has ended already. Nothing was changed.")


def of_many(deed: Deed, changed: int, refused: int) -> Text:
    """What came of acting on all that a summary stands for."""
    if not changed:
        return say("There was nothing left to do.") if not refused else say("Nothing was changed.")
    if deed is Deed.RESOLVE_ALL:
        done = many("{count} escalation was resolved.", "{count} escalations were resolved.", changed)
    else:
        done = many("You have {count} escalation now.", "You have {count} escalations now.", changed)
    if not refused:
        return done
    return many("{done} {count} belongs to another team.", "{done} {count} belong to other teams.", refused, done=done)
