"""Where people act who press a button: on this database, or on that of a drill. And who of them may."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from monitor import told
from monitor.acting import Acting, Storage
from monitor.carry_out import kept_by
from monitor.inbound.people import People
from monitor.model import Escalation
from monitor.rules.load import RuleSet
from monitor.rules.people.rota import Team
from monitor.slack.permits import Known, asked_groups, refusal
from monitor.slack.tags import Tag
from monitor.store.outbox import Outbox
from monitor.wording.text import Text, say


@dataclass(frozen=True, slots=True)
class Site:
    """One database and what is in force there. `clock`: what its clock shows when the one on the wall shows a time.
    `own`: it is the one that keeps the inbox. `over`: it is that of a drill that has ended."""

    store: Storage
    acting: Acting
    rules: RuleSet
    clock: Callable[[datetime], datetime] = lambda now: now
    own: bool = True
    over: bool = False

    def adopt(self, tag: Tag, channel: str, ts: str, now: datetime) -> None:
        """Somebody pressed this button, so that its message stands in `channel` as `ts`."""
        if tag.outbox_id and ts:
            with self.store.write() as connection:
                told.adopt(connection, tag.outbox_id, tag.escalation_id, channel, ts, self.clock(now))

    def channel_of(self, outbox_id: int) -> str:
        """The id of the channel in which that message stands; empty where nobody knows."""
        with self.store.read() as connection:
            return Outbox(connection).where(outbox_id) or ""


#: The site of an installation, by the name that its buttons carry; None for one that is not here.
Sites = Callable[[str], AbstractContextManager[Site | None]]

ELSEWHERE = say("This message belongs to another installation of brand-monitor. Nothing was changed.")
OVER = say("This drill is over. Nothing was changed.")
GONE = say("This escalation is no longer stored. Nothing was changed.")


def told_teams(connection: sqlite3.Connection, escalation: Escalation) -> tuple[Team, ...]:
    """The teams that were told of it so far, and the one that it was handed over to."""
    kept = kept_by(connection, escalation)
    names = [tier.team for tier in kept.tiers[: max(escalation.tier, 1)]]
    names += [escalation.team] if escalation.team else []
    return tuple(kept.teams[name] for name in dict.fromkeys(names) if name in kept.teams)


def why_not(people: People, who: Known, teams: tuple[Team, ...], now: datetime) -> Text | None:
    """Why `who` may not act on what `teams` were told of; None if they may. Raises `DeliveryError` where Slack cannot
    tell."""
    # Whoever stands in teams.yaml may, whether Slack can be asked about the groups or not.
    named = any(who.id in team.members.values() for team in teams)
    groups = {} if named else {group: people.members(group, now) for group in asked_groups(teams)}
    return refusal(who, teams, groups)
