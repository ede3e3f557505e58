"""What people do with escalations: one way for buttons in Slack, the command line, drills and the tests of rules.

Load → decide → save. Most acts are events of the state machine; a correction changes what is counted, and the rules are
asked again; reading a guideline is recorded. To do the same twice, after a crash in between or by a second click,
changes nothing the second time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from monitor.amounts import number
from monitor.carry_out import act as carry_out_event
from monitor.carry_out import carry_out, kept_by
from monitor.errors import MonitorError
from monitor.escalation import machine
from monitor.escalation.acts import CORRECTED, READ, Act, Channel, Correct, Correction, Done, Person, ReadGuideline
from monitor.escalation.events import Assign, Decision, Event, Fired, HandOver, Reason, Resolve, SendUpdate
from monitor.fields import did_you_mean
from monitor.model import Escalation, Outcome, Verdict
from monitor.rejudge import Rejudged
from monitor.rules.load import RuleSet
from monitor.rules.people.rota import Team
from monitor.store import escalations, labels, story

#: How an escalation ends that such a correction leaves nothing of.
_ENDS = {Correction.NOT_NEGATIVE: Outcome.NOT_NEGATIVE, Correction.NOT_ABOUT_US: Outcome.NOT_ABOUT_US}
#: So often what was loaded to judge by may change before it is loaded while nothing else can.
ATTEMPTS = 3

Also = Callable[[sqlite3.Connection, Done], None]


class Storage(Protocol):
    """A database to be read and written."""

    def read(self) -> AbstractContextManager[sqlite3.Connection]: ...

    def write(self) -> AbstractContextManager[sqlite3.Connection]: ...


def nothing(connection: sqlite3.Connection, done: Done) -> None:
    """What most callers add to the last transaction."""


class Acting:
    """Acts by the `rules` in force: their teams can be handed to, by them mentions are judged again. `competitors` are
    watched only by rules that name them."""

    def __init__(self, store: Storage, rules: RuleSet, competitors: Collection[str] = ()) -> None:
        self._store, self._rules, self._competitors = store, rules, competitors

    def act(
        self, escalation_id: int, act: Act, who: Person, now: datetime, also: Also = nothing, *, anyone: bool = False
    ) -> Done:
        """Do what `who` asks for. `also` joins the last transaction; it may be called again if that one fails.

        `anyone`: from the command line, too, an escalation may be assigned to somebody in no team. Raises
        `MonitorError` where it cannot be done: no such escalation, team, person or guideline.
        """
        if isinstance(act, Correct):
            return self._correct(escalation_id, act, who, now, also)
        with self._store.write() as connection:
            escalation = _load(connection, escalation_id)
            match act:
                case ReadGuideline():
                    done = _read(connection, escalation, act, who, now)
                case HandOver():
                    done = self._hand_over(connection, escalation, act, who, now)
                case Assign():
                    to = self._person(connection, escalation, act.to, who, anyone)
                    done = _event(connection, escalation, replace(act, to=to), who, now)
                case _:
                    done = _event(connection, escalation, act, who, now)
            also(connection, done)
        return done

    # -- people and teams ----------------------------------------------------------------------------------------

    def _person(
        self, connection: sqlite3.Connection, escalation: Escalation, to: str, who: Person, anyone: bool
    ) -> str:
        """The name of whom is meant, by name or by Slack id."""
        kept = kept_by(connection, escalation)
        members: dict[str, str] = {}
        for team in (*kept.teams.values(), *self._rules.teams.values()):
            members |= team.members
        for name, slack_id in members.items():
            if to.casefold().removeprefix("@") == name.casefold() or to == slack_id:
                return name
        if anyone or who.channel is not Channel.COMMAND_LINE:
            return to
        if not members:
            raise MonitorError(
                f'No team has members, so nobody knows who "{to}" is: write them into teams.yaml, or add --anyone.'
            )
        raise MonitorError(
            f'No team has a member "{to}"{did_you_mean(to, members)} (--anyone gives it to somebody in no team.)'
        )

    def _hand_over(
        self, connection: sqlite3.Connection, escalation: Escalation, act: HandOver, who: Person, now: datetime
    ) -> Done:
        team = self._team(act.team)
        if escalation.state not in machine.ALIVE:
            return Done(escalation, False, Reason.ALREADY_ENDED)
        kept = kept_by(connection, escalation)
        first = kept.team(1)
        if team.id == (escalation.team or (first.id if first else None)):
            return Done(escalation, False, Reason.ALREADY_THEIRS)
        escalations.save_snapshot(connection, escalation.id, escalation.rule_id, kept.handed_to(team).to_json())
        done = _event(connection, escalation, HandOver(act.by, team.id), who, now)
        return replace(done, changed=True)

    def _team(self, name: str) -> Team:
        if team := self._rules.teams.get(name):
            return team
        raise MonitorError(f'There is no team "{name}"{did_you_mean(name, self._rules.teams)}')

    # -- corrections ---------------------------------------------------------------------------------------------

    def _correct(self, escalation_id: int, act: Correct, who: Person, now: datetime, also: Also) -> Done:
        with self._store.write() as connection:
            escalation = _load(connection, escalation_id)
            meant = _meant(connection, escalation, act)
            if not meant:
                done = Done(escalation, False, Reason.NOTHING_TO_CORRECT)
                also(connection, done)
                return done
            changed = labels.correct(connection, meant, act.correction, who=str(who), escalation=escalation, now=now)
            if changed:
                escalations.log(
                    connection, now, str(who), CORRECTED, f"{number(len(changed), 'mention')} {act.correction}",
                    escalation_id=escalation.id, discussion_id=escalation.discussion_id,
                    data={"correction": act.correction, "mention_ids": changed, "name": act.by},
                )  # fmt: skip
        # From here on it can be done again: whoever died in between finds the labels there, and asks the rules.
        for _ in range(ATTEMPTS):
            with self._store.read() as connection:
                rejudged = self._rejudged(connection, escalation_id, now)
            found = rejudged.verdicts()
            with self._store.write() as connection:
                fires = rejudged.fires(connection)
                if fires is not None:
                    return self._follow_up(connection, escalation_id, act, fires, found, len(changed), who, now, also)
        with self._store.write() as connection:
            rejudged = self._rejudged(connection, escalation_id, now)
            fires = bool(rejudged.fires(connection))
            found = rejudged.verdicts()
            return self._follow_up(connection, escalation_id, act, fires, found, len(changed), who, now, also)

    def _rejudged(self, connection: sqlite3.Connection, escalation_id: int, now: datetime) -> Rejudged:
        return Rejudged(connection, _load(connection, escalation_id), self._rules, self._competitors, now)

    def _follow_up(
        self, connection: sqlite3.Connection, escalation_id: int, act: Correct, fires: bool, found: Sequence[Verdict],
        changed: int, who: Person, now: datetime, also: Also,
    ) -> Done:  # fmt: skip
        """What the rules make of what is counted now."""
        escalation = _load(connection, escalation_id)
        alive = escalation.state in machine.ALIVE
        for verdict in found if alive and changed else ():
            escalations.renew_reasons(connection, escalation_id, verdict)
        if alive and not fires and act.correction in _ENDS:
            done = _event(connection, escalation, Resolve(act.by, _ENDS[act.correction]), who, now)
        elif not alive and fires and act.correction is Correction.NEGATIVE and _may_return(connection, escalation, now):
            done = _event(connection, escalation, Fired(escalation.rule_id, escalation.severity, False), who, now)
        else:
            still = Reason.CORRECTED if alive else Reason.ALREADY_ENDED
            reason = still if changed else Reason.ALREADY_CORRECTED
            if changed:
                _show(connection, escalation, reason, who, now)
            done = Done(escalation, False, reason)
        done = replace(done, changed=done.changed or changed > 0, corrected=changed)
        also(connection, done)
        return done


def _meant(connection: sqlite3.Connection, escalation: Escalation, act: Correct) -> tuple[int, ...]:
    """The mentions that a correction is about: those that were seen, of those that the escalation is about."""
    if act.mention_ids:
        return labels.about(connection, escalation, act.mention_ids)
    if act.correction is Correction.NEGATIVE:
        return labels.corrected_on(connection, escalation.id)
    return tuple(mention.id for mention in escalations.view(connection, escalation.id).mentions)


def _may_return(connection: sqlite3.Connection, escalation: Escalation, now: datetime) -> bool:
    """Whether a correction that is taken back had ended it, and nothing has come after it."""
    if escalation.outcome not in _ENDS.values():
        return False
    latest = escalations.latest(
        connection, escalation.brand, escalation.scope, escalation.discussion_id, escalation.rule_id
    )
    # One of which nobody had been told yet comes back in the same time.
    told = replace(escalation, opened_at=escalation.opened_at or now)
    return latest == escalation and machine.may_reopen(told, kept_by(connection, escalation).clockwork(), now)


# -- guidelines --------------------------------------------------------------------------------------------------


def _read(
    connection: sqlite3.Connection, escalation: Escalation, act: ReadGuideline, who: Person, now: datetime
) -> Done:
    guideline = kept_by(connection, escalation).guideline
    if guideline is None:
        raise MonitorError(f"The rule {escalation.rule_id} has no guideline: `playbook:` in its file names one.")
    version = act.version or guideline.version
    known = story.readers(connection, escalation.id)
    if any(version == read and _same(who, act.by, reader, name) for reader, name, read in known):
        return Done(escalation, False, Reason.ALREADY_READ)
    escalations.log(
        connection, now, str(who), READ, f"{guideline.path}, version {version}",
        escalation_id=escalation.id, discussion_id=escalation.discussion_id,
        data={"path": guideline.path, "version": version, "name": act.by},
    )  # fmt: skip
    _show(connection, escalation, Reason.READ, who, now)
    return Done(escalation, True, Reason.READ)


def _same(who: Person, by: str, reader: str, name: str) -> bool:
    """Whether the `reader` of the audit log is this person, who may be called otherwise by now, or act elsewhere."""
    return name == by or (who.slack_id is not None and reader.endswith(f" {who.slack_id})"))


# -- what they share ---------------------------------------------------------------------------------------------


def _load(connection: sqlite3.Connection, escalation_id: int) -> Escalation:
    if escalation := escalations.by_id(connection, escalation_id):
        return escalation
    raise MonitorError(f"There is no escalation {escalation_id}.")


def _event(connection: sqlite3.Connection, escalation: Escalation, event: Event, who: Person, now: datetime) -> Done:
    decision = carry_out_event(connection, escalation, event, str(who), now, asked=True)
    changed = bool(decision.effects) or decision.escalation != escalation
    return Done(decision.escalation, changed, decision.reason)


def _show(connection: sqlite3.Connection, escalation: Escalation, reason: Reason, who: Person, now: datetime) -> None:
    """Bring its message up to date, if there is one; a mute keeps nothing back that stands there."""
    if escalation.opened_at is not None:
        shown = Decision(escalation, (SendUpdate(),), reason)
        carry_out(connection, escalation, shown, str(who), now, asked=True)
