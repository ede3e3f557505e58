"""From a message in the outbox to what is sent: how it looks as things are now, in the language of whoever reads it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from monitor.carry_out import kept_by
from monitor.escalation import outbox as decisions
from monitor.escalation.outbox import Waiting
from monitor.escalation.tiers import spared
from monitor.model import ENDED, Escalation
from monitor.outgoing import MessageKind, OutboxMessage
from monitor.slack.buttons import Buttons
from monitor.slack.marks import Mark, marked
from monitor.slack.messages import ESCALATIONS, Message, render_notice, render_reply, render_root
from monitor.slack.speech import mrkdwn_of, speaking
from monitor.slack.summary import render_summary
from monitor.store import escalations, storms
from monitor.store.mentions import by_ids
from monitor.wording.languages import ENGLISH
from monitor.wording.text import Text, say, texts_from_json
from monitor.wording.words import Words


@dataclass(frozen=True, slots=True)
class Renderer:
    """With a `mark` every message bears it; `calls_people` false: nobody is called by name, whatever the rules ask for.

    `install` names this database in the buttons, which stand below messages where somebody receives what is pressed;
    `language` is that of teams that have none of their own.
    """

    install: str = ""
    language: str = ENGLISH
    mark: Mark | None = None
    calls_people: bool = True
    buttons: bool = False

    def message(self, connection: sqlite3.Connection, waiting: Waiting, now: datetime) -> Message:
        """As things are now, not as they were when the message was put into the outbox."""
        message, root = waiting.message, waiting.root
        # What is said of a root, and the text of a reply that became one, stays when the root is brought up to date.
        shown = root if root and message.kind is MessageKind.UPDATE else message
        payload, notes = shown.payload, _notes(shown)
        said, notify = (
            texts_from_json(payload.get("text") or ()),
            payload.get("notify", ()) if self.calls_people else (),
        )
        words = self._words(connection, message.escalation_id, waiting.channel)
        if shown.kind is MessageKind.SUMMARY:
            rendered = self._summary(connection, shown, words, notes)
        elif message.escalation_id is None or message.kind is MessageKind.NOTICE:
            rendered = render_notice(said, words, notes=notes)
        else:
            view = escalations.view(connection, message.escalation_id)
            where = Buttons(self.install, shown.id) if self.buttons else None
            if message.kind is not MessageKind.UPDATE and self._calls_in_vain(connection, view.escalation, payload):
                notify = ()
            if shown.kind is MessageKind.CALL:
                rendered = render_root(view, now, words, lead=said, notes=notes, notify=notify, where=where)
            elif message.kind is MessageKind.REPLY:
                found = by_ids(connection, payload.get("mention_ids", ()))
                mentions = [mention for mention in found if not mention.dismissed]
                new = payload["new"] - len(found) + len(mentions) if "new" in payload else None
                rendered = render_reply(view, mentions, words, said=said, new=new, notes=notes, notify=notify)
            else:
                rendered = render_root(view, now, words, notes=[*said, *notes], notify=notify, where=where)
        if shown.plain or message.plain:
            small = (mrkdwn_of(note, words) for note in notes)
            rendered = replace(rendered, text="\n".join([rendered.text, *small]), blocks=())
        return marked(rendered, self.mark, words) if self.mark else rendered

    @staticmethod
    def _calls_in_vain(connection: sqlite3.Connection, escalation: Escalation, payload: Mapping[str, Any]) -> bool:
        """Whether a message has waited until it has ended, or until the tiers that it calls are spared."""
        called = payload.get("tiers")
        clock = kept_by(connection, escalation).clockwork() if called else None
        spares = clock is not None and all(spared(escalation, clock.tier(number)) for number in called or ())
        return escalation.state in ENDED or spares

    def _words(self, connection: sqlite3.Connection, escalation_id: int | None, channel: str) -> Words:
        """Those of the team whose channel it is, as far as one of the escalation's rules knows it."""
        escalation = escalations.by_id(connection, escalation_id) if escalation_id is not None else None
        if escalation is not None:
            for fired in escalations.fired_rules(connection, escalation.id):
                for team in kept_by(connection, escalation, fired.rule_id).teams.values():
                    if team.channel == channel:
                        return speaking(team.language or self.language, ZoneInfo(team.zone) if team.zone else UTC)
        return speaking(self.language, UTC)

    def _summary(
        self, connection: sqlite3.Connection, message: OutboxMessage, words: Words, notes: Sequence[Text]
    ) -> Message:
        storm = storms.view(connection, message)
        notify = storm.called if self.calls_people else ()
        install = self.install if self.buttons else None
        small = [mrkdwn_of(note, words) for note in notes]
        return render_summary(storm, words, outbox_id=message.id, install=install, notes=small, notify=notify)


def _notes(message: OutboxMessage) -> list[Text]:
    notes = []
    if message.repeated:
        notes.append(say("⚠️ You may see this twice: the connection to Slack broke while it was sent."))
    if meant_for := message.payload.get(decisions.MEANT_FOR):
        status = "`brand-monitor status`"
        notes.append(
            say("⚠️ Meant for {channel}, which Slack refused: see {command}.", channel=str(meant_for), command=status)
        )
    if message.plain and message.escalation_id is not None:
        command = f"`{ESCALATIONS} show {message.escalation_id}`"
        notes.append(say("The full message: {command}", command=command))
    return notes
