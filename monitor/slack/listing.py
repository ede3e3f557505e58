"""How open escalations stand in a list: in the answer to `/brand open` and in App Home. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor.model import Escalation, State
from monitor.slack.blocks import link, plain
from monitor.slack.lines import Line, named, tied
from monitor.slack.signs import SEVERITY_SIGNS, STATE_SIGNS
from monitor.slack.text import message_link, one_line
from monitor.slack.times import since, until, when
from monitor.wording.words import Words


@dataclass(frozen=True, slots=True)
class Listed:
    """An escalation, and what it is about; `theirs`: the reader has it. See `store.overview.Entry`."""

    escalation: Escalation
    about: str
    url: str | None
    rule: str
    teams: tuple[str, ...]
    mentions: int
    negative: int
    channel: str | None
    ts: str | None
    theirs: bool = False


def lines(one: Listed, now: datetime, words: Words, workspace: str | None = None) -> list[Line]:
    """Two lines: what it is, as a link to its message, and how it stands."""
    e = one.escalation
    standing = message_link(one.channel, one.ts, workspace)
    signs = SEVERITY_SIGNS[e.severity] + STATE_SIGNS.get(e.state, "")
    head = [plain(f"{signs} e{e.id} "), named(one.about, standing or one.url), plain(f" · {one_line(e.brand, 40)}")]
    return [
        head,
        tied(
            (
                state_of(e, now, words, theirs=one.theirs),
                words.say("answered: {time}", time=when(e.answered_at, now, words)) if e.answered_at else "",
                ", ".join(one_line(team, 40) for team in one.teams),
                _counts(one, words),
                one_line(one.rule, 100),
                *([link(words.say("the discussion"), one.url)] if one.url and standing else []),
            )
        ),
    ]


def state_of(e: Escalation, now: datetime, words: Words, *, theirs: bool = False) -> str:
    """How it stands, who has it, since or until when."""
    who, untaken = one_line(e.assignee or "", 60), words.say("nobody has taken it yet")
    match e.state:
        case State.PENDING:
            return words.say("waits for more before it is told")
        case State.HELD if e.held_until:
            return words.say("held {until}", until=until(e.held_until, now, words))
        case State.HELD:
            return words.say("held")
        case State.SNOOZED if e.snoozed_until:
            snoozed = words.say("snoozed {until}", until=until(e.snoozed_until, now, words))
            has = words.say("yours") if theirs else words.say("{who} has it", who=who) if who else untaken
            return f"{snoozed}, {has}"
        case State.ACKNOWLEDGED:
            taken = since(e.acknowledged_at or e.changed_at, now, words)
            if theirs:
                return words.say("yours {since}", since=taken)
            return words.say("{who} has it {since}", who=who or words.say("somebody"), since=taken)
    opened = words.say("open {since}", since=since(e.open_since or e.changed_at, now, words))
    if theirs:
        return f"{opened}, " + words.say("nobody has it now, you had it")
    return f"{opened}, " + (words.say("nobody has it now, {who} had it", who=who) if who else untaken)


def _counts(one: Listed, words: Words) -> str:
    if not one.mentions:
        return ""
    counted = words.many("{count} mention", "{count} mentions", one.mentions)
    negative = words.many("{count} negative", "{count} negative", one.negative)
    return f"{counted}, {negative}"
