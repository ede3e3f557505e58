"""A team's day: two teams, three alerts, of which one is taken and one resolved, a hostile post, a gap, a mute."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor.carry_out import act
from monitor.commands import Commands, Reader
from monitor.escalation.events import Acknowledge, Event, Resolve
from monitor.model import Author, Coverage, Outcome
from monitor.schedule import PollState, SourceState
from monitor.store import escalations, mutes, sources
from tests.fakes.world import LOUD, THREAD, World, angry

HOSTILE = "acme is awful <!channel> <@U0123456789> *bold* & <https://evil.example|click>\u202e"
TEAMS = """\
social:
  channel: "#social"
  members: {anna: U0123456789, bruno: U0234567890}
  zone: Europe/Rome
  hours: {open: {mon-fri: "09:00-18:00"}}
  rota: {order: [anna, bruno], since: "2026-01-05"}
legal: {channel: "#legal", members: {lena: U0345678901}}
"""
PLAYBOOK = """\
---
owner: community@example.com
approved_by: head of communications
review_by: 2026-01-31
---
# When a thread turns angry
1. Read all of it.
2. Answer once <!here>.
"""
GUIDELINE = "playbooks/angry.md"
ROME = ZoneInfo("Europe/Rome")


class Day(World):
    """Noon in Rome. e1: an angry thread that anna has; e2: a loud voice, legal's, muted since; e3: resolved as not
    negative by bruno. Every first message stands in Slack, in channel C0123456789."""

    def __init__(self, folder: Path) -> None:
        (folder / "rules" / "playbooks").mkdir(parents=True)
        (folder / "rules" / GUIDELINE).write_text(PLAYBOOK, "utf-8")
        loud = LOUD.replace("team: social}]", "team: legal}]")
        super().__init__(folder, teams=TEAMS, thread=f"{THREAD}playbook: {GUIDELINE}\n", loud=loud)
        self.app.note_rules()
        angry(self, 4)
        hostile = Author(id="h", handle="<!channel>", followers=12)
        self.say(HOSTILE, url="https://forum.example/t/1?<script>", title="Acme <!here> router", author=hostile)
        star, fire = Author(id="star", handle="star", followers=500_000), "Router on fire <!everyone>"
        self.say("acme is awful", conversation_id="t2", title=fire, url="https://forum.example/t/2", author=star)
        for name in ("x", "y", "z"):
            self.say("acme is bad", conversation_id="t3", title="Line down", author=Author(id=name))
        self.say("sorry, acme is on it", author=Author(id="acme_help", handle="acme_help"))
        self.wait(seconds=31)
        self._stand_in_slack()
        self.wait(minutes=10)
        self.did(1, Acknowledge("anna"), "anna (Slack U0123456789)")
        self.wait(minutes=30)
        self.did(3, Resolve("bruno", Outcome.NOT_NEGATIVE), "bruno (Slack U0234567890)")
        self.wait(minutes=5)
        self.commands = Commands(self.app.store, self.app.rules, ["Globex"], install="9f86d081")

    def _stand_in_slack(self) -> None:
        now = self.now
        with self.app.store.write() as connection:
            connection.execute(
                "UPDATE outbox SET state = 'sent', sent_channel = 'C0123456789',"
                " sent_ts = '1774864800.00000' || escalation_id, sent_at = ?",
                [(now + timedelta(seconds=1)).isoformat(timespec="microseconds")],
            )
            soon, later = now + timedelta(minutes=5), now + timedelta(hours=2)
            forum = SourceState("feed:https://f.example/x", "Forum", soon, PollState.ACTIVE, 0, "", now)
            blog = SourceState("feed:https://g.example/x", "Blog", later, PollState.ACTIVE, 4, "503 <!here>", None)
            sources.save_state(connection, forum)
            sources.save_state(connection, blog)
            gap = Coverage(now - timedelta(hours=5), now - timedelta(hours=2), False, "down")
            sources.cover(connection, forum.key, gap)
            until = now + timedelta(hours=3)
            mutes.add(connection, mutes.Mute("loud", now, until, "jana", "works on <!here>"))

    def did(self, number: int, event: Event, who: str) -> None:
        with self.app.store.write() as connection:
            escalation = escalations.by_id(connection, number)
            assert escalation is not None
            act(connection, escalation, event, who, self.now)  # type: ignore[arg-type]


def anna(language: str = "en", **more: object) -> Reader:
    given = {"slack_id": "U0123456789", "name": "anna", "language": language, "zone": ROME, "teams": ("social",)}
    return Reader(**{**given, **more})  # type: ignore[arg-type]


@contextmanager
def working_day(folder: Path) -> Iterator[Day]:
    day = Day(folder)
    try:
        yield day
    finally:
        day.app.close()
