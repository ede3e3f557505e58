"""What followed when a rule fired: told, held, waiting, dropped, joined, or nothing, and why; from what was recorded.

It says again what the state machine and its callers decided then; it decides nothing anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.durations import duration_text
from monitor.escalation.events import Reason
from monitor.model import ENDED, Escalation, State
from monitor.outgoing import MessageState
from monitor.rules.explaining.inquiry import Case, Fate, Life, Result, Silence, Stage, Step
from monitor.rules.explaining.steps import Lines
from monitor.rules.rule import Rule, Status
from monitor.rules.windows import NEWS

#: Mentions that were read so much later than they count are worth a word.
LATE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Firing:
    """A rule fires as of `at`. `cause`: the time of the latest mention that it is about, `negative` whether that or one
    of the same time is negative; `read`: when the last of its mentions was read."""

    at: datetime
    cause: datetime
    negative: bool
    read: datetime


def after(rule: Rule, firing: Firing, case: Case, lines: Lines) -> Fate:
    """What followed; its text goes on after the rule's name."""
    then = case.spoken.at(firing.at)
    if rule.status is Status.TEST:
        return _in_test(rule, then, case, lines)
    if (life := _belongs_to(rule, firing, case)) is not None:
        return _on(life, rule, then, firing, case, lines)
    fate = _nothing_followed(rule, firing, case, lines)
    before = [life for life in case.lives if rule.id in life.fired and life.escalation.created_at <= case.until]
    if before:
        told = _told(before[-1], rule, case, lines)
        return Fate(told.result, f"{fate.text} Before that it {told.text}", fate.steps, told.escalation_id)
    return fate


def recorded(rule: Rule, case: Case, lines: Lines, since: datetime | None, until: datetime | None) -> Fate | None:
    """What followed when the rule last fired (from `since` on and before `until`, where they are given), by its text
    and the mentions of then; for one that does not fire now. Its text is a sentence of its own."""
    lives = [
        (life, fired)
        for life in case.lives
        if (fired := life.fired.get(rule.id))
        and life.escalation.created_at <= case.until
        and (since or fired.at) <= fired.at <= case.until
        and (until is None or fired.at < until)
    ]
    if not lives:
        return None
    life, fired = lives[-1]
    firing = Firing(fired.at, fired.at, negative=True, read=fired.at)
    fate = _on(life, rule, case.spoken.at(fired.at), firing, case, lines)
    before = "Before that it" if case.at else "By the rules and mentions of then it"
    return Fate(fate.result, f"{before} {fate.text}", fate.steps, fate.escalation_id)


def _in_test(rule: Rule, then: str, case: Case, lines: Lines) -> Fate:
    recorded = [at for at in case.would_have.get(rule.id, ()) if at <= case.until]
    noted = f", as was recorded {case.spoken.at(recorded[-1])}" if recorded else ""
    step = _step("status", "live", "test: recorded, never posted", False, lines.of("status"))
    text = f"would have alerted {then}{noted}, but it is in test: nobody is told ({_place(rule, case, step.line)})."
    return Fate(Result.TEST, text, (step,))


def _belongs_to(rule: Rule, firing: Firing, case: Case) -> Life | None:
    """The first escalation that has recorded the rule as firing then or later. What was history when it was read made
    none, whatever a storm of today has made."""
    if firing.read - firing.at > NEWS:
        return None
    for life in case.lives:
        fired = life.fired.get(rule.id)
        if fired and fired.at >= firing.cause and life.escalation.created_at <= max(case.until, firing.read):
            return life
    return None


# -- it was recorded ---------------------------------------------------------------------------------------------


def _on(life: Life, rule: Rule, then: str, firing: Firing, case: Case, lines: Lines) -> Fate:
    escalation, spoken = life.escalation, case.spoken
    late = f" (its mentions were read only {spoken.at(firing.read)})" if firing.read - firing.at > LATE else ""
    state, why = _state(life, case)
    if state is State.PENDING:
        line, wait = lines.of("timing"), duration_text(rule.timing.wait_first)
        text = f"fired {then}{late} and waits {wait} for more before it speaks: escalation {life.name}."
        return _fate(Result.WAITS, text, life, _step("wait_first", f"{wait} over", "still waiting", False, line))
    if state is State.DROPPED:
        line, wait = lines.of("timing"), duration_text(rule.timing.wait_first)
        gone = f"when its first wait of {wait} was over, the condition no longer held"
        text = f"fired {then}{late}, but nobody was told: {gone} (escalation {life.name} was dropped)."
        return _fate(Result.DROPPED, text, life, _step("wait_first", "the condition still holds", "gone", False, line))
    if state is State.HELD:
        held, step = _held(life, rule, why, case, lines)
        text = f"would have alerted {then}{late}, but {held}; escalation {life.name} is held until then."
        return _fate(Result.HELD, text, life, step)
    told = _told(life, rule, case, lines)
    if told.result is Result.HELD:
        return Fate(told.result, f"fired {then}{late}, but {told.text}", told.steps, escalation.id)
    opened = escalation.opened_at
    if opened and firing.at > opened and told.text.startswith("alerted"):
        again = f"It fired again {then}{late}, when that was alive: news go into its thread, not into a second message."
        return Fate(told.result, f"{told.text} {again}", told.steps, escalation.id)
    if told.text.startswith(f"alerted {then}:"):
        return told
    return Fate(told.result, f"fired {then}{late} and {told.text}", told.steps, escalation.id)


def _held(life: Life, rule: Rule, why: str, case: Case, lines: Lines) -> tuple[str, Step]:
    spoken, until = case.spoken, life.escalation.held_until
    in_charge = life.escalation.rule_id
    if why == Reason.MUTED:
        mute = _silence(case, rule.id) or _silence(case, in_charge)
        end = mute.until if mute else until
        said = f"muted{f' until {spoken.time(end)}' if end else ''}{_by(mute)}"
        whose = "it is" if in_charge == rule.id or _silence(case, rule.id) else f"{in_charge}, the rule in charge, is"
        return f"{whose} {said}", _step("mute", "not muted", said, False, lines.of("mutes"))
    kept = life.kept.get(in_charge)
    team = kept.team(1) if kept else None
    there = f"is not there{f' until {spoken.time(until)}' if until else ''}"
    said = f"its team{f' {team.id}' if team else ''} {there}"
    return said, _step("outside_hours", "the team is there", said, False, lines.of("outside_hours"))


def _told(life: Life, rule: Rule, case: Case, lines: Lines) -> Fate:
    """Of an escalation that people could know of, or that somebody took before that."""
    escalation, spoken = life.escalation, case.spoken
    standing = _standing(escalation, _state(life, case)[0])
    if rule.id != life.made_by and (back := _held_back(life, rule)) and (mute := _silence(case, rule.id)):
        said = f"muted until {spoken.time(mute.until)}{_by(mute)}"
        text = f"it is {said}; escalation {life.name} ({standing}) was made by {life.made_by}."
        return Fate(Result.HELD, text, (_step("mute", "not muted", said, False, lines.of("mutes")),), back)
    if escalation.opened_at is None or escalation.opened_at > case.until:
        text = f"made escalation {life.name} ({standing}), but nobody was told of it."
        return _fate(Result.FIRED, text, life)
    if again := _reopened(life, rule, case):
        return _fate(Result.ALERTED, f"{again} ({standing}).{_message(life)}", life)
    if rule.id != life.made_by:
        text = f"joined escalation {life.name} ({standing}), which {life.made_by} had made: one message a discussion."
        return _fate(Result.ALERTED, text + _message(life), life)
    after = spoken.at(escalation.opened_at)
    if held := next((event for event in life.events if event.what == State.HELD), None):
        because = "it was muted" if held.why == Reason.MUTED else "its team was not there"
        after += f" (until then {because})"
    return _fate(Result.ALERTED, f"alerted {after}: escalation {life.name} ({standing}).{_message(life)}", life)


def _reopened(life: Life, rule: Rule, case: Case) -> str:
    """That the rule opened it again, where it did."""
    ended: datetime | None = None
    said = ""
    for event in life.events:
        if event.at > case.until:
            break
        if event.what == State.RESOLVED:
            ended = event.at
        if event.who == f"rule {rule.id}" and event.why == Reason.NEW_MATCH and ended:
            within = duration_text(rule.timing.reopen_within)
            said = (
                f"opened escalation {life.name} again: it had been resolved {case.spoken.at(ended)}, less than {within}"
            )
            said += " before"
    return said


def _held_back(life: Life, rule: Rule) -> int | None:
    held = [event for event in life.events if event.what == "held back" and event.who == f"rule {rule.id}"]
    return life.escalation.id if held else None


def _message(life: Life) -> str:
    """What is wrong with its message, where it has not arrived."""
    if life.root is None or life.root.state is MessageState.SENT:
        return ""
    if life.root.state is MessageState.FOLDED and life.root.sent_at:
        return f" One message in {life.root.channel} stands for many that came at once, and for it."
    if life.root.state is MessageState.BLOCKED:
        return f" Its message could not be sent to {life.root.channel}: {life.root.error}."
    return f" Its message has not reached {life.root.channel} yet."


def _state(life: Life, case: Case) -> tuple[State, str]:
    """The escalation's state at the moment asked about, and why it came into it."""
    states = {str(state) for state in State}
    past = [event for event in life.events if event.at <= case.until and event.what in states]
    if not past:
        return life.escalation.state, ""
    return State(past[-1].what), past[-1].why


def _standing(escalation: Escalation, state: State) -> str:
    if state is not escalation.state:
        return f"{state} then, {escalation.state} now"
    if state is State.RESOLVED and escalation.outcome:
        return f"{state}: {escalation.outcome}"
    return f"{state}, {escalation.assignee} has it" if escalation.assignee else str(state)


# -- nothing was recorded ----------------------------------------------------------------------------------------


def _nothing_followed(rule: Rule, firing: Firing, case: Case, lines: Lines) -> Fate:
    spoken = case.spoken
    as_of = f"fires as of {spoken.time(firing.at)}"
    if firing.read - firing.at > NEWS:
        read, hours = spoken.at(firing.read), duration_text(NEWS)
        text = f"{as_of}, but its mentions were read only {read}: what is longer ago than {hours} is history, and"
        step = _step("news", f"read within {hours}", f"read {read}", False)
        return Fate(Result.FIRED, f"{text} alerts nobody.", (step,))
    if not firing.negative:
        step = _step("new mention", "negative, where nothing is open", "friendly", False)
        text = f"{as_of} through a friendly mention, and such a one opens nothing:{_ended(case, firing)}"
        return Fate(Result.FIRED, f"{text} the next negative one does.", (step,))
    if case.rules_since is None:
        what = "the daemon does not follow these rules yet"
    elif firing.read < case.rules_since:
        what = f"these rules are in force only since {spoken.time(case.rules_since)}"
    else:
        what = "something was corrected or edited since, or the daemon has not judged it yet"
    step = _step("recorded", "an escalation", f"none: {what}", False)
    return Fate(Result.FIRED, f"{as_of}, but no escalation was made then: {what}.", (step,))


def _ended(case: Case, firing: Firing) -> str:
    """What had been resolved before, and is not opened again."""
    for life in reversed(case.lives):
        ended = life.escalation.resolved_at
        if life.escalation.state in ENDED and ended and ended <= firing.read:
            return f" escalation {life.name} had been resolved {case.spoken.at(ended)};"
    return ""


# -- words -------------------------------------------------------------------------------------------------------


def _silence(case: Case, rule_id: str) -> Silence | None:
    """Of the mutes in force at the moment asked about the last to end."""
    silent = [one for one in case.silences.get(rule_id, ()) if one.since <= case.until < one.until]
    return max(silent, key=lambda one: one.until, default=None)


def _by(mute: Silence | None) -> str:
    return f" by {mute.who}{f' ({mute.why})' if mute.why else ''}" if mute else ""


def _place(rule: Rule, case: Case, line: int) -> str:
    return f"{case.folder}/{rule.file}" + (f":{line}" if line else "")


def _step(name: str, asked: str, found: str, holds: bool, line: int = 0) -> Step:
    return Step(Stage.AFTER, name, asked, found, holds, line)


def _fate(result: Result, text: str, life: Life, *steps: Step) -> Fate:
    if not steps:
        steps = (_step("escalation", "", f"{life.name} ({life.escalation.state})", result is Result.ALERTED),)
    return Fate(result, text, steps, life.escalation.id)
