"""What is answered at once and changes nothing: forms that buttons open, answers to commands, App Home.

Best effort, each on its own: what fails is told to whoever asked, if that works, and forgotten.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime

from monitor.carry_out import kept_by
from monitor.commands import Commands, Reader
from monitor.errors import DeliveryError, DeliveryRefused, MonitorError
from monitor.inbound.clicks import reader_of, words_of
from monitor.inbound.people import People
from monitor.inbound.sites import ELSEWHERE, GONE, OVER, Site, Sites, told_teams, why_not
from monitor.model import ENDED, Escalation, EscalationView
from monitor.rules.people.rota import Team, on_duty
from monitor.slack.answers import Answer
from monitor.slack.asked import Asked
from monitor.slack.forms import FORMS, Choices, form, submitted
from monitor.slack.outcomes import ended
from monitor.slack.permits import Known
from monitor.slack.requests import Click, Command, FormSubmitted
from monitor.slack.speaking import Speaking
from monitor.slack.tags import Deed
from monitor.slack.text import escape
from monitor.store import escalations
from monitor.wording.text import Text, say
from monitor.wording.words import Words

log = logging.getLogger(__name__)

#: What somebody is told alone is no longer than this.
LONGEST_TEXT = 2_000
#: Clicks on these open a form first.
OPENS = frozenset({*FORMS, Deed.READ_GUIDELINE})
#: Slack's codes for a form that came too late, and for one that this click has opened already: it was told twice.
_LATE = frozenset({"expired_trigger_id", "trigger_expired"})
_OPENED = frozenset({"exchanged_trigger_id", "trigger_exchanged"})


class AtOnce:
    """May be used by any thread; nothing here raises. `address` tells that of our workspace in Slack."""

    def __init__(
        self,
        people: People,
        sites: Sites,
        commands: Commands,
        speaking: Speaking,
        address: Callable[[], str | None],
        *,
        language: str = "en",
    ) -> None:
        self._people, self._sites, self._commands, self._address = people, sites, commands, address
        self._speaking, self._language = speaking, language

    # -- forms ---------------------------------------------------------------------------------------------------

    def open_form(self, click: Click, now: datetime) -> None:
        who = self._known(click.sender.id, now)
        speech = words_of(who, self._language)
        try:
            made = self._form(click, who, speech, now)
            if isinstance(made, Text):
                return self.whisper(click.sender.id, click.channel, speech.text(made))
            self._speaking.open_form(click.trigger_id, made)
            return self._adopt(click, now)
        except DeliveryRefused as error:
            if error.code in _OPENED:
                return None
            log.warning("a form cannot be opened: %s", error)
            late = error.code in _LATE
            said = say("The form came too late. Press the button again.") if late else _no_form(error)
        except DeliveryError as error:
            # The right to open it lasts for three seconds: only another click can open it.
            log.warning("a form cannot be opened: %s", error)
            said = say("The form did not open: {why} Press the button again.", why=str(error))
        except MonitorError as error:
            log.warning("a form cannot be opened: %s", error)
            said = _no_form(error)
        except Exception:
            log.exception("a form cannot be made")
            said = say("The form cannot be opened; the log of brand-monitor says why.")
        return self.whisper(click.sender.id, click.channel, speech.text(said))

    def _form(self, click: Click, who: Known | None, speech: Words, now: datetime) -> Mapping[str, object] | Text:
        if click.tag.deed is Deed.READ_GUIDELINE:
            if who is None:
                return say("Slack cannot be asked who you are. Try again in a while.")
            reader = reader_of(self._people, who, self._commands, self._language, now)
            return self._commands.guideline(click.tag, reader, now)
        with self._sites(click.tag.install) as site:
            if site is None:
                return ELSEWHERE
            if site.over:
                return OVER
            return self._of_site(site, click, who, speech, now)

    def _of_site(
        self, site: Site, click: Click, who: Known | None, speech: Words, now: datetime
    ) -> Mapping[str, object] | Text:
        number, view = click.tag.escalation_id, None
        teams: tuple[Team, ...] = ()
        kept: tuple[Team, ...] = ()
        if click.tag.deed is not Deed.RESOLVE_ALL:
            with site.store.read() as connection:
                if (escalation := escalations.by_id(connection, number)) is None:
                    return GONE
                view, teams = escalations.view(connection, number), told_teams(connection, escalation)
                kept = tuple(kept_by(connection, escalation).teams.values())
        # Whoever may not is told before filling in a form; where Slack cannot be asked, when it is sent.
        if who is not None and (no := self._refusal(who, teams, now)):
            return no
        if view and view.escalation.state in ENDED and click.tag.deed is not Deed.GUIDELINE:
            return ended(view.escalation, who.name if who else "")
        at = site.clock(now)
        return form(click.tag, view, _choices(site, view, kept, at), speech)

    def _adopt(self, click: Click, now: datetime) -> None:
        with self._sites(click.tag.install) as site:
            if site:
                site.adopt(click.tag, click.channel, click.message_ts, now)

    def _refusal(self, who: Known, teams: tuple[Team, ...], now: datetime) -> Text | None:
        try:
            return why_not(self._people, who, teams, now)
        except DeliveryError:
            return None

    def submitted(self, sent: FormSubmitted, who: Known | None, now: datetime) -> Asked | dict[str, str]:
        """What is asked for, or what is wrong with it by block; {} for no form of ours."""
        if sent.tag.deed is Deed.READ_GUIDELINE:
            return Asked(sent.tag)
        with self._sites(sent.tag.install) as site:
            at = site.clock(now) if site else now
        return submitted(sent.view, at, words_of(who, self._language))

    # -- commands, App Home --------------------------------------------------------------------------------------

    def command(self, command: Command, now: datetime) -> None:
        who = self._known(command.sender.id, now)
        speech = words_of(who, self._language)
        try:
            answer = self._answer(command, who, speech, now)
        except Exception:
            log.exception("a command cannot be answered")
            answer = Answer(speech.say("This cannot be answered; the log of brand-monitor says why."))
        self.respond(command.response_url, command.sender.id, command.channel, answer)

    def _answer(self, command: Command, who: Known | None, speech: Words, now: datetime) -> Answer:
        if who is None:
            return Answer(speech.say("Slack cannot be asked who you are. Try again in a while."))
        if no := self._refusal(who, (), now):
            return Answer(speech.text(no))
        return self._commands.answer(command.text, self._reader(who, now), now)

    def home(self, user: str, now: datetime) -> None:
        who = self._known(user, now)
        if who is None or self._refusal(who, (), now):
            return
        try:
            self._speaking.publish_home(user, self._commands.home(self._reader(who, now), now))
        except MonitorError as error:
            log.warning("App Home cannot be shown: %s", error)
        except Exception:
            log.exception("App Home cannot be made")

    def _reader(self, who: Known, now: datetime) -> Reader:
        if self._commands.workspace is None:
            with suppress(DeliveryError):
                self._commands.workspace = self._address()
        return reader_of(self._people, who, self._commands, self._language, now)

    # -- telling -------------------------------------------------------------------------------------------------

    def respond(self, url: str, user: str, channel: str, answer: Answer) -> None:
        """By the address that came with a command, where there is one; else where they are."""
        try:
            if url:
                return self._speaking.respond(url, answer.text, answer.blocks)
        except MonitorError as error:
            log.warning("%s", error)
        return self.whisper(user, channel, answer)

    def whisper(self, user: str, channel: str, said: Answer | str) -> None:
        answer = said if isinstance(said, Answer) else Answer(escape(said, LONGEST_TEXT))
        try:
            try:
                self._speaking.whisper(user, channel, answer.text, answer.blocks)
            except DeliveryRefused:
                if not channel:
                    raise
                # Where the app is no member, or they are not any more, it comes as a message of the app's.
                self._speaking.whisper(user, "", answer.text, answer.blocks)
        except MonitorError as error:
            log.warning("%s cannot be told what came of it: %s", user, error)
        except Exception:
            log.exception("%s cannot be told what came of it", user)

    def _known(self, user: str, now: datetime) -> Known | None:
        try:
            return self._people.person(user, now)
        except MonitorError as error:
            log.warning("who %s is, is not known: %s", user, error)
            return None


def _no_form(error: MonitorError) -> Text:
    return say("The form cannot be opened: {why}", why=str(error))


def _choices(site: Site, view: EscalationView | None, kept: tuple[Team, ...], at: datetime) -> Choices:
    """People: those of the teams that its rule calls, whoever is on duty first. Teams: all others."""
    people: dict[str, str] = {}
    for team in kept:
        for name in (*on_duty(team, at), *team.members):
            if name in team.members:
                people.setdefault(name, team.members[name])
    theirs = _whose(view.escalation if view else None, kept)
    others = [team for team in site.rules.teams.values() if team.id != theirs]
    return Choices(at, tuple(people.items()), tuple((team.id, _on_duty(team, at)) for team in others))


def _whose(escalation: Escalation | None, kept: tuple[Team, ...]) -> str | None:
    """The team that has it: the one that it was handed over to, else the first that its rule calls."""
    if escalation and escalation.team:
        return escalation.team
    return kept[0].id if kept else None


def _on_duty(team: Team, at: datetime) -> str:
    """Names, as far as they are known here."""
    return ", ".join(name for name in on_duty(team, at) if name in team.members)
