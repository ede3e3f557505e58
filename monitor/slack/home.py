"""App Home: what a person of a team needs to know when they open Slack. Pure.

What is theirs stands on top, then what else is open, who is on duty, what they have not read, how the monitoring is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.model import State
from monitor.slack.blocks import Block, context, header, plain
from monitor.slack.elements import actions, button
from monitor.slack.lines import Line, bold, code, named, text, tied
from monitor.slack.listing import Listed, lines
from monitor.slack.tags import Deed, Tag
from monitor.slack.text import escape, one_line
from monitor.slack.times import until
from monitor.wording.words import Words

#: A view holds a hundred blocks; an escalation takes two.
MOST_LISTED = 25
MOST_TEAMS, TEAMS_IN_BLOCK = 20, 5
#: Of those on duty at the same time.
MOST_NAMED = 4
MOST_GUIDELINES = 10
#: As it is sent, all but ASCII escaped. The documented limit is 250 kB, that of an unwieldy page is lower.
LONGEST_VIEW = 60_000


@dataclass(frozen=True, slots=True)
class OnDuty:
    """A team: who is called now, until when that holds (None: no rota says so), and who comes next. `opens`: when it is
    there again; None while it is."""

    team: str
    now: tuple[str, ...]
    until: datetime | None = None
    then: tuple[str, ...] = ()
    opens: datetime | None = None
    closes: datetime | None = None


@dataclass(frozen=True, slots=True)
class ToRead:
    """A guideline that a person has not read."""

    title: str
    version: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """How the monitoring stands: sources that were read in the last hour, of so many; sentences about what to mend."""

    sources: int
    read_lately: int
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Home:
    """`teams` are the reader's; without any, everything that is open is shown. `theirs` and `others` are the most
    severe first; `hidden`: how many of the reader's teams' did not fit; `elsewhere`: how many other teams have."""

    name: str
    teams: tuple[str, ...]
    theirs: Sequence[Listed]
    others: Sequence[Listed]
    elsewhere: int
    duty: Sequence[OnDuty]
    unread: Sequence[ToRead]
    health: Health


def render_home(home: Home, now: datetime, words: Words, install: str, workspace: str | None = None) -> Block:
    """A view of type "home", within Slack's limits whatever is open."""
    most = MOST_LISTED
    while True:
        view: Block = {"type": "home", "blocks": _blocks(home, now, words, install, workspace, most)}
        if most <= 1 or len(json.dumps(view)) < LONGEST_VIEW:
            return view
        most //= 2


def _blocks(home: Home, now: datetime, words: Words, install: str, workspace: str | None, most: int) -> list[Block]:
    made: list[Block] = []
    theirs, others = home.theirs[:most], home.others[: max(0, most - len(home.theirs))]
    if theirs:
        made.append(header(words.say("What you have")))
        for one in theirs:
            made += _listed(one, now, words, install, workspace)
    made.append(header(_heading(home, words)))
    for one in others:
        made += _listed(one, now, words, install, workspace)
    if hidden := len(home.theirs) + len(home.others) - len(theirs) - len(others):
        more = words.many("… and {count} more:", "… and {count} more:", hidden)
        made.append(text([plain(f"{more} "), code(words.say("/brand open"))]))
    if not home.others:
        made.append(text(words.say("Nothing else is open.") if home.theirs else words.say("Nothing is open.")))
    if home.elsewhere:
        more = words.many(
            "{count} more is open for other teams.", "{count} more are open for other teams.", home.elsewhere
        )
        made += context(more)
    if home.unread:
        made += _unread(home.unread, words, install)
    if home.duty:
        made.append(header(words.say("On duty")))
        for start in range(0, min(len(home.duty), MOST_TEAMS), TEAMS_IN_BLOCK):
            teams = home.duty[start : start + TEAMS_IN_BLOCK]
            made.append(text(*(_duty(one, now, words) for one in teams)))
    made += _health(home.health, words)
    made += context(words.say("As of {time}. It is brought up to date when you open it again.", time=words.clock(now)))
    return made


def _heading(home: Home, words: Words) -> str:
    if not home.teams:
        return words.say("Open, for all teams")
    return words.say("Open for {teams}", teams=", ".join(one_line(team, 30) for team in home.teams))


def _read(health: Health, words: Words) -> str:
    if not health.sources:
        return words.say("No source is read; posts come in by other ways.")
    return words.many(
        "{read} of {count} source was read in the last hour.",
        "{read} of {count} sources were read in the last hour.",
        health.sources,
        read=health.read_lately,
    )


def _listed(one: Listed, now: datetime, words: Words, install: str, workspace: str | None) -> list[Block]:
    made = [text(*lines(one, now, words, workspace))]
    id, buttons = one.escalation.id, []
    is_open = one.escalation.state is State.OPEN
    if is_open or (not one.theirs and one.escalation.state is not State.ACKNOWLEDGED):
        take = Tag(Deed.ACKNOWLEDGE, id, 0, install)
        buttons.append(button(words.say("Acknowledge"), take, primary=is_open))
    buttons.append(button(words.say("Resolve…"), Tag(Deed.RESOLVE, id, 0, install)))
    return [*made, actions(*buttons)] if install else made


def _unread(unread: Sequence[ToRead], words: Words, install: str) -> list[Block]:
    made = [header(words.say("Guidelines that you have not read"))]
    for one in unread[:MOST_GUIDELINES]:
        rules = words.say("for {rules}", rules=", ".join(one_line(rule, 60) for rule in one.rules[:5]))
        made.append(text(tied((named(one.title, None), rules))))
        if install:
            made.append(
                actions(button(words.say("Read…"), Tag(Deed.READ_GUIDELINE, 0, 0, install, version=one.version)))
            )
    return made


def _duty(one: OnDuty, now: datetime, words: Words) -> Line:
    who = _names(one.now) or words.say("nobody whose name is known")
    parts = [who]
    if one.until:
        parts[0] = words.say("{who} {until}", who=who, until=until(one.until, now, words))
        if one.then:
            parts.append(words.say("then {who}", who=_names(one.then)))
    if one.opens:
        parts.append(words.say("not there {until}", until=until(one.opens, now, words)))
    elif one.closes:
        parts.append(words.say("there {until}", until=until(one.closes, now, words)))
    return [bold(one_line(one.team, 40)), plain(": "), *tied(parts)]


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(one_line(name, 60) for name in names[:MOST_NAMED])
    return shown + ("…" if len(names) > MOST_NAMED else "")


def _health(health: Health, words: Words) -> list[Block]:
    if not health.problems:
        return context(f"🟢 {_read(health, words)}")
    count = words.many("{count} thing to mend:", "{count} things to mend:", len(health.problems))
    shown = [f"• {escape(one_line(problem, 300), 400)}" for problem in health.problems[:3]]
    more = [words.say("… all of it: /brand status")] if len(health.problems) > 3 else []
    return context("\n".join([f"🔴 {count}", *shown, *more]))
