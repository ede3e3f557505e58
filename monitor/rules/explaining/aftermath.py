"""What followed when a rule fired: told, held, waiting, dropped, joined, or nothing, and why; from what was recorded.

It says again what the state machine and its callers decided then; it decides nothing anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from monitor.durations import duration_text
from monitor.escalation.events import Reason
from monitor.model import ENDED, Escalation, State
from monitor.outgoing import MessageState
from monitor.rules.alerts import span
from monitor.rules.explaining.inquiry import Case, Fate, Life, Result, Silence, Stage, Step
from monitor.rules.explaining.steps import Lines
from monitor.rules.rule import Rule, Status
from monitor.rules.windows import NEWS
from monitor.wording.names import OUTCOMES, STATES
from monitor.wording.text import Text, english, joined, say

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
        told = _told(before[-1], rule, case, lines).fate
        text = joined((fate.text, say("Before that it {did}", did=told.text)))
        return Fate(told.result, text, fate.steps, told.escalation_id)
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
    if case.at:
        text = say("Before that it {did}", did=fate.text)
    else:
        text = say("By the rules and mentions of then it {did}", did=fate.text)
    return Fate(fate.result, text, fate.steps, fate.escalation_id)


def _in_test(rule: Rule, then: Text, case: Case, lines: Lines) -> Fate:
    recorded = [at for at in case.would_have.get(rule.id, ()) if at <= case.until]
    step = _step("status", "live", "test: recorded, never posted", False, lines.of("status"))
    values = {"then": then, "line": _place(rule, case, step.line)}
    if recorded:
        text = say(
            "would have alerted {then}, as was recorded {recorded}, but it is in test: nobody is told ({line}).",
            recorded=case.spoken.at(recorded[-1]), **values,
        )  # fmt: skip
    else:
        text = say("would have alerted {then}, but it is in test: nobody is told ({line}).", **values)
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


def _on(life: Life, rule: Rule, then: Text, firing: Firing, case: Case, lines: Lines) -> Fate:
    escalation, spoken, late = life.escalation, case.spoken, then
    if firing.read - firing.at > LATE:
        late = joined((then, say("(its mentions were read only {at})", at=spoken.at(firing.read))))
    state, why = _state(life, case)
    values = {"then": late, "name": life.name, "wait": span(rule.timing.wait_first)}
    wait = duration_text(rule.timing.wait_first)
    if state is State.PENDING:
        text = say("fired {then} and waits {wait} for more before it speaks: escalation {name}.", **values)
        step = _step("wait_first", f"{wait} over", "still waiting", False, lines.of("timing"))
        return _fate(Result.WAITS, text, life, step)
    if state is State.DROPPED:
        text = say(
            "fired {then}, but nobody was told: when its first wait of {wait} was over, the condition no longer held"
            " (escalation {name} was dropped).",
            **values,
        )
        step = _step("wait_first", "the condition still holds", "gone", False, lines.of("timing"))
        return _fate(Result.DROPPED, text, life, step)
    if state is State.HELD:
        held, step = _held(life, rule, why, case, lines)
        text = say("would have alerted {then}, but {held}; escalation {name} is held until then.", held=held, **values)
        return _fate(Result.HELD, text, life, step)
    told, alerted, at_once = _told(life, rule, case, lines)
    if told.result is Result.HELD:
        return Fate(told.result, say("fired {then}, but it {did}", then=late, did=told.text), told.steps, escalation.id)
    if alerted and firing.at > alerted:
        again = say(
            "It fired again {then}, when that was alive: news go into its thread, not into a second message.", then=late
        )
        return Fate(told.result, joined((told.text, again)), told.steps, escalation.id)
    if alerted and at_once and then == spoken.at(alerted):
        return told
    return Fate(told.result, say("fired {then} and {did}", then=late, did=told.text), told.steps, escalation.id)


def _held(life: Life, rule: Rule, why: str, case: Case, lines: Lines) -> tuple[Text, Step]:
    spoken, until = case.spoken, life.escalation.held_until
    in_charge = life.escalation.rule_id
    if why == Reason.MUTED:
        mute = _silence(case, rule.id) or _silence(case, in_charge)
        if mute:
            muted = _muted(mute, case)
        else:
            muted = say("muted {until}", until=spoken.until(until)) if until else say("muted")
        if in_charge == rule.id or _silence(case, rule.id):
            said = say("it is {muted}", muted=muted)
        else:
            said = say("{rule}, the rule in charge, is {muted}", rule=in_charge, muted=muted)
        return said, _step("mute", "not muted", english(muted), False, lines.of("mutes"))
    kept = life.kept.get(in_charge)
    team = kept.team(1) if kept else None
    if until and team:
        said = say("its team {team} is not there {until}", team=team.id, until=spoken.until(until))
    elif until:
        said = say("its team is not there {until}", until=spoken.until(until))
    else:
        said = say("its team {team} is not there", team=team.id) if team else say("its team is not there")
    return said, _step("outside_hours", "the team is there", english(said), False, lines.of("outside_hours"))


class _Told(NamedTuple):
    """`alerted`: when people were told of it, where the rule made it and did not open it again; `at_once`: it was not
    held before."""

    fate: Fate
    alerted: datetime | None = None
    at_once: bool = False


def _told(life: Life, rule: Rule, case: Case, lines: Lines) -> _Told:
    """Of an escalation that people could know of, or that somebody took before that."""
    escalation, opened = life.escalation, life.escalation.opened_at
    values = {"name": life.name, "standing": _standing(escalation, _state(life, case)[0]), "rule": life.made_by}
    if rule.id != life.made_by and (back := _held_back(life, rule)) and (mute := _silence(case, rule.id)):
        muted = _muted(mute, case)
        text = say("is {muted}; escalation {name} ({standing}) was made by {rule}.", muted=muted, **values)
        step = _step("mute", "not muted", english(muted), False, lines.of("mutes"))
        return _Told(Fate(Result.HELD, text, (step,), back))
    if opened is None or opened > case.until:
        text = say("made escalation {name} ({standing}), but nobody was told of it.", **values)
        return _Told(_fate(Result.FIRED, text, life))
    if ended := _reopened(life, rule, case):
        text = say(
            "opened escalation {name} again: it had been resolved {ended}, less than {within} before ({standing}).",
            ended=case.spoken.at(ended), within=span(rule.timing.reopen_within), **values,
        )  # fmt: skip
        return _Told(_fate(Result.ALERTED, _with_message(text, life), life))
    if rule.id != life.made_by:
        text = say(
            "joined escalation {name} ({standing}), which {rule} had made: one message a discussion.", **values
        )  # fmt: skip
        return _Told(_fate(Result.ALERTED, _with_message(text, life), life))
    values["at"] = case.spoken.at(opened)
    held = next((event for event in life.events if event.what == State.HELD), None)
    if held is None:
        text = say("alerted {at}: escalation {name} ({standing}).", **values)
    elif held.why == Reason.MUTED:
        text = say("alerted {at} (until then it was muted): escalation {name} ({standing}).", **values)
    else:
        text = say("alerted {at} (until then its team was not there): escalation {name} ({standing}).", **values)
    return _Told(_fate(Result.ALERTED, _with_message(text, life), life), opened, held is None)


def _reopened(life: Life, rule: Rule, case: Case) -> datetime | None:
    """When it had been resolved before the rule opened it again, where it did."""
    ended: datetime | None = None
    before: datetime | None = None
    for event in life.events:
        if event.at > case.until:
            break
        if event.what == State.RESOLVED:
            ended = event.at
        if event.who == f"rule {rule.id}" and event.why == Reason.NEW_MATCH and ended:
            before = ended
    return before


def _held_back(life: Life, rule: Rule) -> int | None:
    held = [event for event in life.events if event.what == "held back" and event.who == f"rule {rule.id}"]
    return life.escalation.id if held else None


def _with_message(text: Text, life: Life) -> Text:
    """With what is wrong with its message, where it has not arrived."""
    if life.root is None or life.root.state is MessageState.SENT:
        return text
    channel = life.root.channel
    if life.root.state is MessageState.FOLDED and life.root.sent_at:
        what = say("One message in {channel} stands for many that came at once, and for it.", channel=channel)
    elif life.root.state is MessageState.BLOCKED:
        error = life.root.error
        what = say("Its message could not be sent to {channel}: {error}.", channel=channel, error=error)
    else:
        what = say("Its message has not reached {channel} yet.", channel=channel)
    return joined((text, what))


def _state(life: Life, case: Case) -> tuple[State, str]:
    """The escalation's state at the moment asked about, and why it came into it."""
    states = {str(state) for state in State}
    past = [event for event in life.events if event.at <= case.until and event.what in states]
    if not past:
        return life.escalation.state, ""
    return State(past[-1].what), past[-1].why


def _standing(escalation: Escalation, state: State) -> Text:
    said = STATES[state]
    if state is not escalation.state:
        return say("{state} then, {other} now", state=said, other=STATES[escalation.state])
    if state is State.RESOLVED and escalation.outcome:
        return Text("{state}: {outcome}", {"state": said, "outcome": OUTCOMES[escalation.outcome]})
    return say("{state}, {who} has it", state=said, who=escalation.assignee) if escalation.assignee else said


# -- nothing was recorded ----------------------------------------------------------------------------------------


def _nothing_followed(rule: Rule, firing: Firing, case: Case, lines: Lines) -> Fate:
    spoken = case.spoken
    as_of = spoken.as_of(firing.at)
    if firing.read - firing.at > NEWS:
        text = say(
            "fires {as_of}, but its mentions were read only {read}: what is longer ago than {news} is history, and"
            " alerts nobody.",
            as_of=as_of, read=spoken.at(firing.read), news=span(NEWS),
        )  # fmt: skip
        read = english(spoken.at(firing.read))
        return Fate(
            Result.FIRED, text, (_step("news", f"read within {duration_text(NEWS)}", f"read {read}", False),)
        )  # fmt: skip
    if not firing.negative:
        step = _step("new mention", "negative, where nothing is open", "friendly", False)
        return Fate(Result.FIRED, _opens_nothing(as_of, _ended(case, firing), case), (step,))
    if case.rules_since is None:
        what = say("the daemon does not follow these rules yet")
    elif firing.read < case.rules_since:
        what = say("these rules are in force only {since}", since=spoken.since(case.rules_since))
    else:
        what = say("something was corrected or edited since, or the daemon has not judged it yet")
    step = _step("recorded", "an escalation", f"none: {english(what)}", False)
    text = say("fires {as_of}, but no escalation was made then: {why}.", as_of=as_of, why=what)
    return Fate(Result.FIRED, text, (step,))


def _opens_nothing(as_of: Text, ended: Life | None, case: Case) -> Text:
    if ended is None or ended.escalation.resolved_at is None:
        return say(
            "fires {as_of} through a friendly mention, and such a one opens nothing: the next negative one does.",
            as_of=as_of,
        )
    return say(
        "fires {as_of} through a friendly mention, and such a one opens nothing: escalation {name} had been resolved"
        " {ended}; the next negative one does.",
        as_of=as_of, name=ended.name, ended=case.spoken.at(ended.escalation.resolved_at),
    )  # fmt: skip


def _ended(case: Case, firing: Firing) -> Life | None:
    """What had been resolved before, and is not opened again."""
    for life in reversed(case.lives):
        ended = life.escalation.resolved_at
        if life.escalation.state in ENDED and ended and ended <= firing.read:
            return life
    return None


# -- words -------------------------------------------------------------------------------------------------------


def _silence(case: Case, rule_id: str) -> Silence | None:
    """Of the mutes in force at the moment asked about the last to end."""
    silent = [one for one in case.silences.get(rule_id, ()) if one.since <= case.until < one.until]
    return max(silent, key=lambda one: one.until, default=None)


def _muted(mute: Silence, case: Case) -> Text:
    """ "muted until Fri 18:00 by jana (works on the line)"."""
    who = f"{mute.who} ({mute.why})" if mute.why else mute.who
    return say("muted {until} by {who}", until=case.spoken.until(mute.until), who=who)


def _place(rule: Rule, case: Case, line: int) -> str:
    return f"{case.folder}/{rule.file}" + (f":{line}" if line else "")


def _step(name: str, asked: str, found: str, holds: bool, line: int = 0) -> Step:
    return Step(Stage.AFTER, name, asked, found, holds, line)


def _fate(result: Result, text: Text, life: Life, *steps: Step) -> Fate:
    if not steps:
        steps = (_step("escalation", "", f"{life.name} ({life.escalation.state})", result is Result.ALERTED),)
    return Fate(result, text, steps, life.escalation.id)
