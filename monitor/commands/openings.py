"""`/brand open`: what is open, the most severe first, of all, of one team, or the reader's own."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import fields
from datetime import datetime

from monitor.commands.reader import Reader
from monitor.fields import closest
from monitor.model import State
from monitor.slack.answers import Answer, answer, sentence
from monitor.slack.blocks import Block, fitting, header, plain
from monitor.slack.lines import text, to_type
from monitor.slack.listing import Listed, lines
from monitor.slack.text import one_line
from monitor.store import overview

MINE = ("mine", "mie", "miei", "me")
#: How many are shown, the most that a message has room for first.
MOST = (20, 15, 10, 6, 3)


def everything(connection: sqlite3.Connection, reader: Reader) -> list[Listed]:
    """All that has not ended, the most severe first; what the reader has is marked."""
    found = []
    for entry in overview.alive(connection):
        given = {one.name: getattr(entry, one.name) for one in fields(entry)}
        found.append(Listed(**given, theirs=_has(reader, entry.escalation.assignee)))
    return found


def of_teams(found: Iterable[Listed], teams: Collection[str]) -> list[Listed]:
    """Those that one of these teams has been told of."""
    return [one for one in found if set(one.teams) & set(teams)]


def open_ones(
    connection: sqlite3.Connection,
    rest: str,
    reader: Reader,
    teams: Collection[str],
    now: datetime,
    workspace: str | None = None,
) -> Answer:
    """`rest`: "", "mine", or the name of a team."""
    words, wanted = reader.words, one_line(rest, 80).casefold()
    found = everything(connection, reader)
    if wanted in MINE:
        found, title = [one for one in found if one.theirs], words.say("What you have")
    elif wanted:
        known = {*teams, *(team for one in found for team in one.teams)}
        if wanted not in known:
            close = closest(wanted, known)
            said = words.say("There is no team {team}.", team=one_line(rest, 80))
            if close:
                return sentence([plain(f"{said} "), *to_type(words.say("Did you mean"), f"/brand open {close}", "?")])
            return sentence(said, words.say("There are: {teams}", teams=", ".join(sorted(known)) or "–"))
        found, title = of_teams(found, [wanted]), words.say("Open for {teams}", teams=wanted)
    else:
        title = words.say("Open, for all teams")
    if not found:
        nothing = words.say("Nothing is open.") if wanted not in MINE else words.say("You have nothing open.")
        return answer(title, text(nothing))

    def blocks(most: int) -> list[Block]:
        return [header(title), *(text(*lines(one, now, words, workspace)) for one in found[:most])]

    made = fitting(blocks, MOST)
    small = [_summary(found, reader)]
    if hidden := len(found) - len(made) + 1:
        more = words.many("{count} more is not shown.", "{count} more are not shown.", hidden)
        narrow = words.say("Narrow it down with /brand open mine or /brand open TEAM.")
        small.append(f"{more} {narrow}")
    return answer(title, *made[1:], small=small)


def _summary(found: list[Listed], reader: Reader) -> str:
    words = reader.words
    untaken = sum(one.escalation.state is State.OPEN for one in found)
    told = words.many("{count} in all", "{count} in all", len(found))
    if not untaken:
        return told
    return told + ", " + words.many("{count} that nobody has taken", "{count} that nobody has taken", untaken)


def _has(reader: Reader, assignee: str | None) -> bool:
    """Whoever was assigned on the command line may stand there by their id."""
    return assignee is not None and assignee in (reader.name, reader.slack_id)
