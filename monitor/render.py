"""From a message in the outbox to what is sent: how it looks as things are now, in the language of whoever reads it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime

from monitor.escalation import outbox as decisions
from monitor.escalation.outbox import Waiting
from monitor.outgoing import MessageKind, OutboxMessage
from monitor.slack.marks import Mark, marked
from monitor.slack.messages import ESCALATIONS, Message, render_notice, render_reply, render_root
from monitor.slack.text import escape
from monitor.store import escalations
from monitor.store.mentions import by_ids


@dataclass(frozen=True, slots=True)
class Renderer:
    """With a `mark` every message bears it; `calls_people` false: nobody is called by name, whatever the rules ask for.

    `install` names this database in the buttons; `language` is that of teams that have none of their own.
    """

    install: str = ""
    language: str = "en"
    mark: Mark | None = None
    calls_people: bool = True

    def message(self, connection: sqlite3.Connection, waiting: Waiting, now: datetime) -> Message:
        """As things are now, not as they were when the message was put into the outbox."""
        message, root = waiting.message, waiting.root
        # What is said of a root, and the text of a reply that became one, stays when the root is brought up to date.
        shown = root if root and message.kind is MessageKind.UPDATE else message
        payload, notes = shown.payload, _notes(shown)
        text, notify = str(payload.get("text", "")), payload.get("notify", ()) if self.calls_people else ()
        if message.escalation_id is None or message.kind is MessageKind.NOTICE:
            rendered = render_notice(text, notes=notes)
        else:
            view = escalations.view(connection, message.escalation_id)
            if message.kind is MessageKind.CALL:
                rendered = render_root(view, now, lead=text, notes=notes, notify=notify)
            elif message.kind is MessageKind.REPLY:
                mentions = by_ids(connection, payload.get("mention_ids", ()))
                new = payload.get("new")
                rendered = render_reply(view, mentions, text=text, new=new, notes=notes, notify=notify)
            else:
                notes = [escape(text, 1000), *notes] if text else notes
                rendered = render_root(view, now, notes=notes, notify=notify)
        if shown.plain or message.plain:
            rendered = replace(rendered, text="\n".join([rendered.text, *notes]), blocks=())
        return marked(rendered, self.mark) if self.mark else rendered


def _notes(message: OutboxMessage) -> list[str]:
    notes = []
    if message.repeated:
        notes.append("⚠️ You may see this twice: the connection to Slack broke while it was sent.")
    if meant_for := message.payload.get(decisions.MEANT_FOR):
        notes.append(f"⚠️ Meant for {escape(str(meant_for), 100)}, which Slack refused: see `brand-monitor status`.")
    if message.plain and message.escalation_id is not None:
        notes.append(f"The full message: `{ESCALATIONS} show {message.escalation_id}`")
    return notes
