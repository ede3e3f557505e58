"""Carries out what people did in Slack, from the inbox: one row after the other, each in a transaction with its mark.

    inbox row ─▶ who is it, may they? ─▶ acting ─▶ the row is applied, in the same transaction ─▶ that person is told

What the message shows by itself is not told again. What cannot be judged yet, since Slack does not say who somebody is,
is tried again for about ten minutes; a row that fails never stops the others.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from monitor.acting import Storage
from monitor.commands import Commands, Reader
from monitor.errors import DeliveryError, DeliveryRefused, MonitorError, StoreError
from monitor.escalation.acts import Act, Channel, Correct, Correction, Done, Person, ReadGuideline
from monitor.escalation.events import Acknowledge, Assign, HandOver, Resolve, Snooze
from monitor.inbound.people import People, zone_of
from monitor.inbound.sites import ELSEWHERE, GONE, OVER, Site, Sites, told_teams, why_not
from monitor.slack.answers import Answer
from monitor.slack.asked import Asked, asked_from_json
from monitor.slack.outcomes import of_many, outcome
from monitor.slack.permits import Kind, Known
from monitor.slack.requests import Click, Command, FormSubmitted
from monitor.slack.tags import Deed
from monitor.store import escalations, inbox
from monitor.store.inbox import Kept
from monitor.store.outbox import Outbox
from monitor.wording.catalogs import words
from monitor.wording.text import Text, english, say
from monitor.wording.words import Words

log = logging.getLogger(__name__)

#: Waits between attempts, in seconds: about ten minutes in all.
RETRIES = (2, 5, 10, 20, 40, *[60] * 9)
#: What was carried out is kept for so long, for whoever asks.
KEPT = timedelta(days=30)
_UNKNOWN = say("brand-monitor could not do this; its log says why. Nothing was changed.")


@dataclass(frozen=True, slots=True)
class Line:
    """A row understood: who asks for what, and where they are looking (`channel` empty: in App Home or in a form)."""

    user: str
    asked: Asked | None = None
    channel: str = ""
    message_ts: str = ""
    command: str = ""

    @property
    def at_home(self) -> bool:
        """Whether they pressed a button of App Home."""
        return self.asked is not None and not self.asked.tag.outbox_id


def kept_click(click: Click) -> dict[str, Any]:
    """What is stored of it."""
    where = {"channel": click.channel, "ts": click.message_ts}
    return {"user": click.sender.id, "asked": Asked(click.tag).to_json(), **where}


def kept_form(form: FormSubmitted, asked: Asked) -> dict[str, Any]:
    return {"user": form.sender.id, "asked": asked.to_json()}


def kept_command(command: Command) -> dict[str, Any]:
    return {"user": command.sender.id, "command": command.text, "channel": command.channel}


def _line(request: Mapping[str, Any]) -> Line:
    """Raises ValueError or KeyError for what none of these stored."""
    asked = asked_from_json(request["asked"]) if "asked" in request else None
    where = str(request.get("channel", "")), str(request.get("ts", ""))
    return Line(str(request["user"]), asked, *where, str(request.get("command", "")))


class Clicks:
    """For one thread. `tell` is given the row, whom to tell, where, and what; `acted` is told of each that
    is done with; neither may raise. `beat` is called before each row and each act."""

    def __init__(
        self,
        store: Storage,
        people: People,
        sites: Sites,
        commands: Commands,
        tell: Callable[[Kept, Line, Answer | str], None],
        *,
        acted: Callable[[Line], None] = lambda line: None,
        language: str = "en",
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._people, self._sites, self._commands = store, people, sites, commands
        self._tell, self._acted, self._language, self._beat = tell, acted, language, beat

    def step(self, now: datetime) -> tuple[int, datetime | None]:
        """Carry out what is due; return how much that was, and when the next is. Raises `StoreError` where the database
        cannot be used."""
        with self._store.read() as connection:
            due = inbox.due(connection, now)
        for row in due:
            self._beat()
            self._apply(row, now)
        with self._store.read() as connection:
            return len(due), inbox.next_due(connection)

    def forget(self, now: datetime) -> None:
        with self._store.write() as connection:
            inbox.forget(connection, now - KEPT)

    # -- one row -------------------------------------------------------------------------------------------------

    def _apply(self, row: Kept, now: datetime) -> None:
        try:
            line = _line(row.request)
        except (ValueError, KeyError, TypeError):
            log.error("row %s of the inbox cannot be read", row.id)
            self._mark(row, "cannot be read", now)
            return
        who: Known | None = None
        try:
            who = self._people.person(line.user, now)
            said = self._carry_out(row, line, who, now)
        except (DeliveryError, StoreError) as error:
            passing = error.passing if isinstance(error, StoreError) else not isinstance(error, DeliveryRefused)
            if passing and row.attempts < len(RETRIES):
                log.warning("row %s of the inbox waits: %s", row.id, error)
                # Where it is our own database that cannot be used, and not that of a drill, this fails as well.
                with self._store.write() as connection:
                    inbox.put_off(connection, row.id, now + timedelta(seconds=RETRIES[row.attempts]))
                return
            if isinstance(error, DeliveryError):
                said = say("Slack does not tell who may do this. Nothing was changed. ({why})", why=str(error))
            else:
                log.error("row %s of the inbox cannot be carried out: %s", row.id, error)
                said = _UNKNOWN
        except MonitorError as error:
            said = say("{why} Nothing was changed.", why=str(error))
        except Exception:
            log.exception("row %s of the inbox cannot be carried out", row.id)
            said = _UNKNOWN
        self._mark(row, _in_english(said), now)
        self._acted(line)
        if said is not None:
            speech = words_of(who, self._language)
            self._tell(row, line, said if isinstance(said, Answer) else speech.text(said))

    def _carry_out(self, row: Kept, line: Line, who: Known, now: datetime) -> Text | Answer | None:
        if line.asked is None:
            return self._command(row, line, who, now)
        asked = line.asked
        with self._sites(asked.tag.install) as site:
            if site is None:
                return ELSEWHERE
            site.adopt(asked.tag, line.channel, line.message_ts, now)
            if asked.tag.deed is Deed.READ_GUIDELINE:
                return self._read(row, asked, who, now)
            if site.over:
                return OVER
            if asked.tag.deed in (Deed.ACKNOWLEDGE_ALL, Deed.RESOLVE_ALL):
                return self._all(asked, site, who, now)
            return self._one(row, asked, site, who, now)

    def _mark(self, row: Kept, result: str, now: datetime) -> None:
        with self._store.write() as connection:
            inbox.applied(connection, row.id, result, now)

    # -- what is asked for ---------------------------------------------------------------------------------------

    def _one(self, row: Kept, asked: Asked, site: Site, who: Known, now: datetime) -> Text | None:
        number, at = asked.tag.escalation_id, site.clock(now)
        with site.store.read() as connection:
            escalation = escalations.by_id(connection, number)
            teams = told_teams(connection, escalation) if escalation else ()
        if escalation is None:
            return GONE
        if no := why_not(self._people, who, teams, now):
            return no
        if asked.tag.deed is Deed.SHOW:
            with site.store.write() as connection:
                shown = Outbox(connection).unfold(number, at, asked.tag.outbox_id)
            return None if shown else say("It has a message of its own already.")
        if asked.assignee and (no := self._cannot_have_it(asked.assignee, now)):
            return no
        act = self._act(asked, who, now)
        if act is None:
            return say("Nothing was chosen. Nothing was changed.")
        if isinstance(act, HandOver) and act.team not in site.rules.teams:
            return say("There is no team {team} any more. Nothing was changed.", team=act.team)

        def also(connection: sqlite3.Connection, done: Done) -> None:
            if site.own:
                inbox.applied(connection, row.id, f"{done.changed}: {done.reason}", now)

        return outcome(act, site.acting.act(number, act, _person(who), at, also), who.name)

    def _all(self, asked: Asked, site: Site, who: Known, now: datetime) -> Text:
        """Each of those that a summary stands for; done twice, the second time changes nothing."""
        at = site.clock(now)
        with site.store.read() as connection:
            found = [
                (id, told_teams(connection, escalation))
                for id in Outbox(connection).members(asked.tag.outbox_id)
                if (escalation := escalations.by_id(connection, id))
            ]
        changed, refused, no = 0, 0, None
        act = self._act(asked, who, now)
        for number, teams in found:
            self._beat()
            if why := why_not(self._people, who, teams, now):
                refused, no = refused + 1, why
            elif act is not None:
                changed += site.acting.act(number, act, _person(who), at).changed
        if no and refused == len(found):
            return no
        return of_many(asked.tag.deed, changed, refused)

    def _cannot_have_it(self, id: str, now: datetime) -> Text | None:
        """Why it cannot be given to somebody: whoever has it must be able to act on it."""
        person = self._people.person(id, now)
        if person.kind is Kind.MEMBER:
            return None
        return say(
            "Only members of this workspace can have it, and {who} is none. Nothing was changed.", who=person.name
        )

    def _act(self, asked: Asked, who: Known, now: datetime) -> Act | None:
        """None where the form lacks what it is about."""
        by = who.name
        match asked.tag.deed:
            case Deed.ACKNOWLEDGE | Deed.ACKNOWLEDGE_ALL:
                return Acknowledge(by)
            case Deed.NOT_NEGATIVE:
                return Correct(by, Correction.NOT_NEGATIVE, asked.tag.mention_ids)
            case Deed.NOT_ABOUT_US:
                return Correct(by, Correction.NOT_ABOUT_US, asked.tag.mention_ids)
            case Deed.ASSIGN if asked.assignee:
                return Assign(by, self._people.person(asked.assignee, now).name)
            case Deed.SNOOZE if asked.until:
                return Snooze(by, asked.until)
            case Deed.HAND_OVER if asked.team:
                return HandOver(by, asked.team)
            case Deed.RESOLVE | Deed.RESOLVE_ALL if asked.outcome:
                return Resolve(by, asked.outcome, asked.note)
            case Deed.GUIDELINE:
                return ReadGuideline(by, asked.tag.version or None)
        return None

    # -- commands and guidelines ---------------------------------------------------------------------------------

    def _command(self, row: Kept, line: Line, who: Known, now: datetime) -> Text | Answer | None:
        if no := why_not(self._people, who, (), now):
            return no
        reader = reader_of(self._people, who, self._commands, self._language, now)
        with self._store.write() as connection:
            answer = self._commands.apply(connection, line.command, reader, row.received_at)
            inbox.applied(connection, row.id, answer.text, now)
        return answer

    def _read(self, row: Kept, asked: Asked, who: Known, now: datetime) -> Text | Answer | None:
        if no := why_not(self._people, who, (), now):
            return no
        reader = reader_of(self._people, who, self._commands, self._language, now)
        with self._store.write() as connection:
            answer = self._commands.read(connection, asked.tag, reader, row.received_at)
            inbox.applied(connection, row.id, answer.text, now)
        return answer


def words_of(who: Known | None, language: str) -> Words:
    """How `who` is spoken to; in `language` where nobody knows theirs."""
    if who is None:
        return words(language)
    return words(who.language or language, zone_of(who))


def reader_of(people: People, who: Known, commands: Commands, language: str, now: datetime) -> Reader:
    teams = people.teams_of(who.id, commands.rules.teams, now)
    return Reader(who.id, who.name, who.language or language, zone_of(who), teams)


def _person(who: Known) -> Person:
    return Person(who.name, Channel.SLACK, who.id)


def _in_english(said: Text | Answer | None) -> str:
    with suppress(Exception):
        text = said.text if isinstance(said, Answer) else english(said) if said else ""
        # Half a character is nothing that could be stored.
        return text.encode("utf-8", "replace").decode("utf-8")
    return "told"
