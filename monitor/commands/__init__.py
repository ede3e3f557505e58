"""What people ask for in Slack: `/brand …`, App Home, guidelines; in the language and the time of whoever asks.

commands.changes(text)        whether it changes something: then it is kept first, and applied in a transaction
commands.apply(…)             what it changes; the answer says what came of it
commands.answer(…)            everything else: it only reads
commands.home(…)              a `view` for views.publish
commands.guideline(…)         a `view` for views.open, when somebody wants to read a guideline
commands.read(…)              its submission: that somebody has read it
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from datetime import datetime

from monitor.commands import finding, muting, openings, reading, standing
from monitor.commands.front import front
from monitor.commands.reader import Reader
from monitor.commands.typed import Command, Typed, stretch, typed
from monitor.commands.typed import muting as muting_of
from monitor.rules.load import RuleSet
from monitor.slack.answers import Answer, answer, sentence
from monitor.slack.blocks import Block, plain
from monitor.slack.guidelines import render_guidelines, unread_lines
from monitor.slack.home import render_home
from monitor.slack.lines import Line, code, text, to_type
from monitor.slack.reports import render_report
from monitor.slack.tags import Tag
from monitor.slack.text import one_line
from monitor.store import Store
from monitor.store.figures import figures
from monitor.wording.words import Words

__all__ = ["Answer", "Commands", "Reader"]


class Commands:
    """Of one database, under the rules in force. `install` names the database in buttons; `folder` is what the rules
    folder is called in sentences; `workspace` is its address in Slack ("https://acme.slack.com/"), where it is known.
    It reads no clock and may be used by any thread."""

    def __init__(
        self,
        store: Store,
        rules: RuleSet,
        competitors: Collection[str] = (),
        *,
        install: str = "",
        folder: str = "rules",
        workspace: str | None = None,
    ) -> None:
        self.store, self.rules, self.competitors = store, rules, competitors
        self.install, self.folder, self.workspace = install, folder, workspace

    # -- commands ------------------------------------------------------------------------------------------------

    def changes(self, text: str) -> bool:
        """Whether `/brand TEXT` would change something (`mute`, `unmute`): such a command goes to `apply`."""
        asked = typed(text)
        if asked.command is Command.MUTE:
            return muting_of(asked.rest) is not None
        return asked.command is Command.UNMUTE and bool(asked.rest)

    def apply(self, connection: sqlite3.Connection, text: str, reader: Reader, now: datetime) -> Answer:
        """Do what `/brand TEXT` asks for, in the caller's transaction; `now` is when it was asked for. Who may not, or
        named a rule that does not exist, is told so, and nothing changes."""
        asked = typed(text)
        if asked.command is Command.UNMUTE:
            return muting.unmute(connection, asked.rest.split(" ")[0], self.rules, reader, now)
        wanted = muting_of(asked.rest)
        if asked.command is not Command.MUTE or wanted is None:
            return self.answer(text, reader, now)
        return muting.mute(connection, wanted, self.rules, reader, now)

    def answer(self, text: str, reader: Reader, now: datetime) -> Answer:
        """What `/brand TEXT` is answered. It changes nothing, and raises for nothing that somebody typed."""
        asked = typed(text)
        if asked.command is None:
            return _unknown(asked, reader.words)
        if asked.command is Command.HELP:
            return _help(reader.words)
        with self.store.read() as connection:
            return self._answer(connection, asked.command, asked.rest, reader, now)

    def _answer(
        self, connection: sqlite3.Connection, command: Command, rest: str, reader: Reader, now: datetime
    ) -> Answer:
        words = reader.words
        match command:
            case Command.STATUS:
                unread = unread_lines(reading.reading(connection, self.rules, now), words)
                return standing.standing(self.store, self.rules, reader, now, unread[:3])
            case Command.OPEN:
                return openings.open_ones(connection, rest, reader, self.rules.teams, now, self.workspace)
            case Command.SEARCH:
                return finding.search(connection, rest, reader, now)
            case Command.WHY:
                return finding.why(
                    connection, rest, self.rules, self.competitors, self.folder, reader, now, self.workspace
                )
            case Command.REPORT:
                length = stretch(rest)
                if length is None:
                    said = words.say("Say how many days, at most a year:")
                    return sentence(to_type(said, "/brand report 30d"))
                before = figures(connection, now - 2 * length, now - length)
                return render_report(figures(connection, now - length, now), before, self.competitors, words)
            case Command.GUIDELINES:
                found = reading.reading(connection, self.rules, now)
                return render_guidelines(found, now, words, self.install)
            case Command.MUTE if rest:
                return sentence(words.say("Say which rule, for how long and why."), muting.usage(words))
        return muting.listed(connection, reader, now)

    # -- App Home ------------------------------------------------------------------------------------------------

    def home(self, reader: Reader, now: datetime) -> Block:
        """The App Home of a person: a view of type "home"."""
        with self.store.read() as connection:
            health = standing.health(self.store, reader, now)
            shown = front(connection, self.rules, health, reader, now)
        return render_home(shown, now, reader.words, self.install, self.workspace)

    # -- guidelines ----------------------------------------------------------------------------------------------

    def guideline(self, tag: Tag, reader: Reader, now: datetime) -> Block:
        """The guideline that a button (Deed.READ_GUIDELINE) stands for, as a modal. Raises `MonitorError`, in the
        reader's language, where it has changed since or is gone."""
        with self.store.read() as connection:
            return reading.form(connection, self.rules, tag, reader, now)

    def read(self, connection: sqlite3.Connection, tag: Tag, reader: Reader, now: datetime) -> Answer:
        """Record, in the caller's transaction, that somebody has read the guideline that the modal showed."""
        return reading.record(connection, self.rules, tag, reader, now)


def _unknown(asked: Typed, words: Words) -> Answer:
    said = words.say("There is no command “{word}”.", word=one_line(asked.word, 60))
    helped = to_type(words.say("All of them:"), words.say("/brand help"))
    if asked.close:
        meant = f"/brand {asked.close}" + (f" {one_line(asked.rest, 100)}" if asked.rest else "")
        return sentence([plain(f"{said} "), *to_type(words.say("Did you mean"), meant, "?")], helped)
    return sentence(said, helped)


def _help(words: Words) -> Answer:
    lines = (
        (
            words.say("/brand open"),
            words.say("what is open, the most severe first; also /brand open mine, /brand open TEAM"),
        ),
        (
            words.say("/brand why e7"),
            words.say("why it did or did not alert: m12, d3, e7, or the link of a message or a post"),
        ),
        (words.say("/brand search WORDS"), words.say("what was said, the most relevant first")),
        (words.say("/brand status"), words.say("how the monitoring stands, and what to mend")),
        (words.say("/brand report 7d"), words.say("the figures of the last days")),
        (words.say("/brand guidelines"), words.say("what to do: the guidelines, and who has read them")),
        (
            words.say("/brand mute RULE for 4h because WHY"),
            words.say("silence a rule for a while; without a rule, what is muted"),
        ),
        (words.say("/brand unmute RULE"), words.say("let a rule post again")),
    )
    rows: list[Line] = [[code(command), plain(f"  {about}")] for command, about in lines]
    small = [words.say("Only you see the answers. To act on an escalation, press the buttons on its message.")]
    return answer(words.say("What you can ask"), text(*rows), small=small)
