"""The forms that buttons open, and what somebody asked for by sending one.

Pure: the caller says who may be chosen and what time it is. Everything that comes back from Slack is taken for hostile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from monitor.model import EscalationView, Outcome
from monitor.slack.asked import Asked
from monitor.slack.blocks import Block, context, mrkdwn
from monitor.slack.elements import LONGEST_VALUE, MOST_OPTIONS, choice, field, menu, modal, option, plain_text
from monitor.slack.facts import subject_line
from monitor.slack.guide import guideline_form
from monitor.slack.tags import Deed, Tag, tag
from monitor.slack.text import capital, clean, escape
from monitor.wording.names import OUTCOMES
from monitor.wording.words import Words

#: The forms there are, by the button that opens each.
FORMS = (Deed.ASSIGN, Deed.SNOOZE, Deed.HAND_OVER, Deed.RESOLVE, Deed.RESOLVE_ALL, Deed.GUIDELINE)
LONGEST_SNOOZE = timedelta(days=30)
LONGEST_NOTE = 500
_SPANS = (timedelta(minutes=30), timedelta(hours=1), timedelta(hours=4))
_MORNING = time(9)
_MEMBER = re.compile("[UW][A-Z0-9]{1,30}")
#: What a choice of a time means: so many seconds from the submission on, that moment, or what stands in the picker.
_IN, _AT, _PICKED = "in:", "at:", "picked"


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen: `people` of its teams, name and Slack id, those on duty first; the other `teams`, each with
    the names of those on duty there ("" where nobody knows)."""

    now: datetime
    people: tuple[tuple[str, str], ...] = ()
    teams: tuple[tuple[str, str], ...] = ()


def form(tag: Tag, view: EscalationView | None, choices: Choices, words: Words) -> dict[str, Any]:
    """The modal for one of `FORMS`, in the reader's language and zone. Only `RESOLVE_ALL` needs no `view`."""
    if view is None or tag.deed is Deed.RESOLVE_ALL:
        return _resolve(tag, None, words)
    match tag.deed:
        case Deed.ASSIGN:
            return _assign(tag, view, choices, words)
        case Deed.SNOOZE:
            return _snooze(tag, view, choices, words)
        case Deed.HAND_OVER:
            return _hand_over(tag, view, choices, words)
        case Deed.GUIDELINE:
            return _guideline(tag, view, choices, words)
    return _resolve(tag, view, words)


def submitted(view: Mapping[str, Any], now: datetime, words: Words) -> Asked | dict[str, str]:
    """What a submitted form asks for, or what is wrong with it, a sentence a block; {} for what is no form of ours."""
    what = tag(str(view.get("private_metadata", "")))
    if what is None or what.deed not in FORMS:
        return {}
    values = _Values(view)
    match what.deed:
        case Deed.ASSIGN:
            return _assigned(what, values, words)
        case Deed.SNOOZE:
            return _snoozed(what, values, now, words)
        case Deed.HAND_OVER:
            team = values.chosen("team")
            return Asked(what, team=team) if team else {"team": words.say("Choose a team.")}
        case Deed.GUIDELINE:
            return Asked(what)
    return _resolved(what, values, words)


# -- assign ------------------------------------------------------------------------------------------------------


def _assign(tag: Tag, view: EscalationView, choices: Choices, words: Words) -> Block:
    people = [option(name, slack_id) for name, slack_id in choices.people[:MOST_OPTIONS]]
    blocks = [*_about(view, words)]
    if people:
        label = words.say("Somebody of the team")
        blocks.append(field("person", label, menu(people, words.say("Choose a person")), optional=True))
    anybody = {"type": "users_select", "placeholder": plain_text(words.say("Choose a person"), 150)}
    label = words.say("Or anybody in this workspace") if people else words.say("Anybody in this workspace")
    blocks.append(field("anybody", label, anybody, optional=bool(people)))
    blocks += context(words.say("Whoever gets it is called in the thread at once."))
    return _modal(words.say("Assign"), blocks, tag, words, words.say("Assign"))


def _assigned(what: Tag, values: _Values, words: Words) -> Asked | dict[str, str]:
    given = (values.chosen("person"), values.text("anybody", "selected_user"))
    of_team, of_all = (id if id and _MEMBER.fullmatch(id) else None for id in given)
    block = "person" if "person" in values else "anybody"
    if of_team and of_all and of_team != of_all:
        return {block: words.say("You chose two people; leave one of the two fields empty.")}
    chosen = of_team or of_all
    return Asked(what, assignee=chosen) if chosen else {block: words.say("Choose who is to have it.")}


# -- snooze ------------------------------------------------------------------------------------------------------


def _snooze(tag: Tag, view: EscalationView, choices: Choices, words: Words) -> Block:
    options = [
        option(words.say("In {length}", length=length), f"{_IN}{int(length.total_seconds())}") for length in _SPANS
    ]
    options += [option(label, f"{_AT}{int(at.timestamp())}") for label, at in _mornings(choices.now, words)]
    options.append(option(words.say("The date and time below"), _PICKED))
    blocks = [
        *_about(view, words),
        field("until", words.say("Remind us again"), choice(options, words.say("Choose a time"))),
        field("picked", words.say("Date and time"), {"type": "datetimepicker"}, optional=True),
        *context(words.say("It comes back earlier if it gets more severe.")),
    ]
    return _modal(words.say("Snooze"), blocks, tag, words, words.say("Snooze"))


def _mornings(now: datetime, words: Words) -> Iterator[tuple[str, datetime]]:
    """The next times to start work, by the reader's clock: in the small hours today, then tomorrow and on Monday."""
    here = now.astimezone(words.zone)
    days = {1, 7 - here.weekday()} | ({0} if here.hour < _MORNING.hour - 1 else set())
    for ahead in sorted(days):
        at = datetime.combine(here.date() + timedelta(days=ahead), _MORNING, words.zone)
        if ahead == 0:
            yield words.say("Today ({day})", day=words.day(at)), at
        elif ahead == 1:
            yield words.say("Tomorrow ({day})", day=words.day(at)), at
        else:
            yield words.day(at), at


def _snoozed(what: Tag, values: _Values, now: datetime, words: Words) -> Asked | dict[str, str]:
    chosen, picked = values.chosen("until"), values.moment("picked")
    if chosen is None:
        return {"until": words.say("Choose until when.")}
    if chosen != _PICKED and picked:
        return {"until": words.say("You also chose a date below; clear it, or choose “The date and time below”.")}
    until, block = (picked, "picked") if chosen == _PICKED else (_moment(chosen, now), "until")
    if until is None:
        return {block: words.say("Choose a date and a time.")}
    if until <= now:
        return {block: words.say("This time has passed; choose a later one.")}
    if until > now + LONGEST_SNOOZE:
        return {block: words.say("Choose a time within the next {days} days.", days=LONGEST_SNOOZE.days)}
    return Asked(what, until=until)


def _moment(chosen: str, now: datetime) -> datetime | None:
    kind, number = chosen[: len(_IN)], chosen[len(_IN) :]
    if kind not in (_IN, _AT) or not (number.isascii() and number.isdigit() and len(number) <= 11):
        return None
    return now + timedelta(seconds=int(number)) if kind == _IN else datetime.fromtimestamp(int(number), UTC)


# -- hand over ---------------------------------------------------------------------------------------------------


def _hand_over(tag: Tag, view: EscalationView, choices: Choices, words: Words) -> Block:
    if not choices.teams:
        blocks = [*_about(view, words), mrkdwn(words.say("There is no other team. Teams stand in `teams.yaml`."))]
        return _modal(words.say("Hand over"), blocks, tag, words, None)
    options = [
        option(team, team, words.say("On duty: {who}", who=on_duty) if on_duty else "")
        for team, on_duty in choices.teams
        if len(team) <= LONGEST_VALUE
    ]
    blocks = [
        *_about(view, words),
        field("team", words.say("To which team?"), choice(options, words.say("Choose a team"))),
        *context(words.say("That team is told at once, and the reminders go to it from now on.")),
    ]
    return _modal(words.say("Hand over"), blocks, tag, words, words.say("Hand over"))


# -- resolve -----------------------------------------------------------------------------------------------------


def _resolve(tag: Tag, view: EscalationView | None, words: Words) -> Block:
    explained = {
        Outcome.ANSWERED: words.say("We answered, in public or in private."),
        Outcome.NOT_ABOUT_US: words.say("They speak of somebody or something else."),
        Outcome.NOT_NEGATIVE: words.say("Nobody complains about us."),
        Outcome.NO_ACTION: words.say("It is better left alone."),
    }
    options = [option(capital(words.text(OUTCOMES[outcome])), outcome, about) for outcome, about in explained.items()]
    answered = view is not None and view.escalation.answered_at is not None
    note = {"type": "plain_text_input", "multiline": True, "max_length": LONGEST_NOTE}
    blocks = _about(view, words) if view else [mrkdwn(words.say("All that this summary stands for will be resolved."))]
    blocks += [
        field(
            "outcome",
            words.say("How did it end?"),
            choice(options, words.say("Choose an outcome"), Outcome.ANSWERED if answered else None),
        ),
        field("note", words.say("Note"), note, optional=True, hint=words.say("For whoever reads this later.")),
    ]
    title = words.say("Resolve") if view else words.say("Resolve all")
    return _modal(title, blocks, tag, words, title)


def _resolved(what: Tag, values: _Values, words: Words) -> Asked | dict[str, str]:
    note = clean(values.text("note", "value") or "")
    try:
        outcome = Outcome(values.chosen("outcome") or "")
    except ValueError:
        return {"outcome": words.say("Choose how it ended.")}
    if len(note) > LONGEST_NOTE:
        return {"note": words.say("A note has at most {length} characters.", length=LONGEST_NOTE)}
    return Asked(what, outcome=outcome, note=note)


# -- guideline ---------------------------------------------------------------------------------------------------


def _guideline(tag: Tag, view: EscalationView, choices: Choices, words: Words) -> Block:
    if view.guideline is None:
        return _modal(words.say("Guideline"), [mrkdwn(words.say("This rule has no guideline."))], tag, words, None)
    return guideline_form(view.guideline, tag, choices.now, words, read_by=view.read_by)


# -- what they share ---------------------------------------------------------------------------------------------


def _about(view: EscalationView, words: Words) -> list[Block]:
    """Which escalation the form is about: on a phone it covers the message."""
    return context(escape(subject_line(view, words), 400))


def _modal(title: str, blocks: list[Block], tag: Tag, words: Words, submit: str | None) -> Block:
    close = words.say("Cancel") if submit else words.say("Close")
    return modal(title, blocks, tag=tag, submit=submit, close=close)


class _Values:
    """What was filled in, by block; whatever has not the shape that Slack documents is not there."""

    def __init__(self, view: Mapping[str, Any]) -> None:
        state = view.get("state")
        values = state.get("values") if isinstance(state, Mapping) else None
        self._values = values if isinstance(values, Mapping) else {}

    def __contains__(self, block_id: str) -> bool:
        return block_id in self._values

    def _of(self, block_id: str) -> Mapping[str, Any]:
        block = self._values.get(block_id)
        value = block.get(block_id) if isinstance(block, Mapping) else None
        return value if isinstance(value, Mapping) else {}

    def chosen(self, block_id: str) -> str | None:
        option = self._of(block_id).get("selected_option")
        value = option.get("value") if isinstance(option, Mapping) else None
        return value if isinstance(value, str) and 0 < len(value) <= LONGEST_VALUE else None

    def text(self, block_id: str, name: str) -> str | None:
        value = self._of(block_id).get(name)
        return value if isinstance(value, str) and value else None

    def moment(self, block_id: str) -> datetime | None:
        value = self._of(block_id).get("selected_date_time")
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 100_000_000_000:
            return None
        return datetime.fromtimestamp(value, UTC)
