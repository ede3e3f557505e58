"""From new mentions and due timers to escalations: which rules fire on what, and what follows from that.

Load → decide → save: deciding is done by `judge` and `escalation.machine`, saving by `carry_out`, inside the
caller's transaction.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from monitor.carry_out import act, carry_out, kept_by
from monitor.escalation import machine
from monitor.escalation.events import Answered, Fired, NewMentions, Reason, TimerDue, TimerKind
from monitor.escalation.storm import Crowd
from monitor.judge import Firing, Judge
from monitor.model import FiredRule, Scope, Verdict
from monitor.outgoing import MessageKind, MessageState
from monitor.rules.load import RuleSet
from monitor.rules.people.rota import Team
from monitor.rules.rule import Rule, Status
from monitor.rules.snapshot import Snapshot, snapshot_from_json, snapshot_of
from monitor.store import Store, attempt, escalations, evidence, facts, mutes
from monitor.store.evidence import Subject
from monitor.store.mentions import Added, Answer
from monitor.store.outbox import Outbox

log = logging.getLogger("monitor.escalate")

#: How often the rules about a whole brand are judged while mentions come in.
BRAND_EVERY = timedelta(seconds=30)
#: A timer that failed is tried again after this time.
TIMER_RETRY = timedelta(minutes=10)


class Escalate:
    """Applies one set of rules to `brands`. `channel` is where rules without a team go; `competitors` are watched only
    by rules that name them."""

    def __init__(
        self, rules: RuleSet, channel: str, brands: Collection[str], competitors: Collection[str] = ()
    ) -> None:
        self._rules = rules
        self._channel = channel
        self._judge = Judge(rules, competitors)
        self._brands = tuple(brands)
        self._brand_due: dict[str, datetime] = {}

    # -- new mentions --------------------------------------------------------------------------------------------

    def consider(
        self, connection: sqlite3.Connection, added: Sequence[Added], answers: Sequence[Answer], now: datetime
    ) -> None:
        """Judge the discussions that got new mentions, and note where one of our own accounts spoke."""
        by_discussion: dict[int, list[Added]] = {}
        for mention in added:
            by_discussion.setdefault(mention.discussion_id, []).append(mention)
        for discussion_id, mentions in by_discussion.items():
            brand, before = mentions[0].brand, min(mention.mention_id for mention in mentions) - 1
            for firing in self._firings(connection, Subject(brand, discussion_id), before, now):
                self._follow_up(connection, firing, brand, discussion_id, now)
        answered: dict[int, list[datetime]] = {}
        for answer in sorted(answers, key=lambda one: one.at):
            answered.setdefault(answer.discussion_id, []).append(answer.at)
        for escalation in escalations.alive_of_discussions(connection, {*by_discussion, *answered}):
            current = escalation
            for at in answered.get(escalation.discussion_id or 0, ()):
                current = act(connection, current, Answered(at), "ingest", now).escalation
            act(connection, current, NewMentions(), "ingest", now)

    def forget(self) -> None:
        """To be called when a transaction in which `consider` was called has failed: see `Judge.forget`."""
        self._judge.forget()

    def judge_brands(self, store: Store, now: datetime, *, at_once: bool = False) -> None:
        """Judge the rules about a brand as a whole, by what has come in since they last were; every `BRAND_EVERY`, for
        they look at days of mentions, or `at_once`. Opens its own transactions: loading takes time, writing does not.
        """
        for brand in self._brands:
            due = self._brand_due.get(brand, now)
            if not at_once and now < due <= now + BRAND_EVERY:
                continue
            self._brand_due[brand] = now + BRAND_EVERY
            name = f"judged:{brand}"
            with store.read() as connection:
                latest = evidence.latest(connection).id
                judged = facts.recall(connection, name)
                after = int(str(judged[0])) if judged else 0
                if latest <= after:
                    continue
                firings = self._firings(connection, Subject(brand), after, now)
            with store.write() as connection:
                for firing in firings:
                    self._follow_up(connection, firing, brand, None, now)
                facts.remember(connection, name, latest, now)

    def _firings(self, connection: sqlite3.Connection, subject: Subject, after: int, now: datetime) -> list[Firing]:
        """The rules that fire. Before people are told of something by what has changed since it was counted, as by what
        they have just corrected, it is counted anew."""
        firings = self._judge.judge(connection, subject, after, now)
        if any(firing.stale and self._is_news(connection, subject, firing) for firing in firings):
            return self._judge.judge(connection, subject, after, now, exactly=True)
        return firings

    @staticmethod
    def _is_news(connection: sqlite3.Connection, subject: Subject, firing: Firing) -> bool:
        rule = firing.rule
        last = escalations.latest(connection, subject.brand, rule.scope, subject.discussion_id, rule.id)
        if last is None or last.state not in machine.ALIVE:
            return True
        return rule.id not in {fired.rule_id for fired in escalations.fired_rules(connection, last.id)}

    def _follow_up(
        self, connection: sqlite3.Connection, firing: Firing, brand: str, discussion_id: int | None, now: datetime
    ) -> None:
        rule, verdict = firing.rule, firing.verdict
        if rule.status is Status.TEST:
            self._record_test(connection, rule, discussion_id, verdict, now)
            return
        last = escalations.latest(connection, brand, rule.scope, discussion_id, rule.id)
        alive = last is not None and last.state in machine.ALIVE
        # What has ended comes back through a new negative mention only, not through a friendly word. One that fires for
        # the first time may do so through any: in which order they came in decides nothing.
        if last is not None and not alive and firing.cause is None:
            return
        title = rule.title.replace("{brand}", brand)
        fired = FiredRule(rule.id, title, rule.severity, verdict.reasons, verdict.at, firing.cause)
        kept, who = self._snapshot(rule), f"rule {rule.id}"
        clock = kept.clockwork(mutes.muted_until(connection, rule.id, now))
        if last is not None and (alive or machine.may_reopen(last, clock, now)):
            added = escalations.add_rule(connection, last.id, fired, kept.to_json(), anew=not alive)
            decision = act(connection, last, Fired(rule.id, rule.severity, added), who, now)
            if rule.scope is Scope.BRAND and decision.reason is Reason.NOTHING_NEW:
                act(connection, last, NewMentions(), "ingest", now)
            return
        new = escalations.create(connection, brand, rule.scope, discussion_id, rule.id, rule.severity, now)
        escalations.add_rule(connection, new.id, fired, kept.to_json())
        conditions = {"conditions": [asdict(condition) for condition in verdict.conditions]}
        escalations.log(
            connection, now, who, "pending", _in_words(verdict),
            escalation_id=new.id, discussion_id=discussion_id, data=conditions,
        )  # fmt: skip
        carry_out(connection, new, machine.begin(new, clock, now), who, now)

    def _record_test(
        self, connection: sqlite3.Connection, rule: Rule, discussion_id: int | None, verdict: Verdict, now: datetime
    ) -> None:
        what, who, since = "would have alerted", f"rule {rule.id}", now - rule.timing.repeat_after
        if not escalations.logged_since(connection, what, who, discussion_id, since):
            data = {"reasons": [asdict(reason) for reason in verdict.reasons]}
            escalations.log(connection, now, who, what, _in_words(verdict), discussion_id=discussion_id, data=data)

    def _snapshot(self, rule: Rule) -> Snapshot:
        guideline = self._rules.guidelines.get(rule.playbook) if rule.playbook else None
        return snapshot_of(rule, self._rules.teams, guideline, self._channel)

    # -- timers ---------------------------------------------------------------------------------------

    def fire_timers(self, connection: sqlite3.Connection, now: datetime) -> int:
        """Act on the timers that are due; return how many there were."""
        due = escalations.due_timers(connection, now)
        for timer in due:
            try:
                with attempt(connection):
                    self._fire_timer(connection, timer, now)
            except Exception:
                # One escalation that cannot be decided must not hold up all others.
                log.exception("timer %s of escalation %s failed; tried again later", timer.kind, timer.escalation_id)
                escalations.put_off(connection, timer, now + TIMER_RETRY)
        return len(due)

    def _fire_timer(self, connection: sqlite3.Connection, timer: escalations.DueTimer, now: datetime) -> None:
        escalation = escalations.by_id(connection, timer.escalation_id)
        if escalation is None or not escalations.take_timer(connection, timer):
            return
        who = f"timer {timer.kind}"
        if timer.kind is not TimerKind.HOLD:
            holds = timer.kind is not TimerKind.WAIT_FIRST or self._judge.still_holds(connection, escalation, now)
            act(connection, escalation, TimerDue(timer.kind, timer.generation, holds), who, now)
        if timer.kind in (TimerKind.HOLD, TimerKind.WAIT_FIRST):
            self._let_speak(connection, escalation.id, now)

    def _let_speak(self, connection: sqlite3.Connection, escalation_id: int, now: datetime) -> None:
        """Its rules, the most severe first, fire again: one that may speak now does, the others wait for their team or
        the end of their mute."""
        for fired in escalations.fired_rules(connection, escalation_id):
            current = escalations.by_id(connection, escalation_id)
            if current is None or current.state not in machine.ALIVE:
                return
            event = Fired(fired.rule_id, fired.severity, added=fired.rule_id != current.rule_id)
            act(connection, current, event, f"rule {fired.rule_id}", now)


def reroute(connection: sqlite3.Connection, teams: Mapping[str, Team], now: datetime) -> None:
    """At a start or a reload: what is alive is handled by the people of now and in their hours, and messages that their
    channel refused go to the channel that their team has now."""
    for escalation_id, rule_id, stored in escalations.alive_snapshots(connection):
        kept = snapshot_from_json(stored)
        renewed = kept.with_teams(teams)
        if renewed == kept:
            continue
        escalations.save_snapshot(connection, escalation_id, rule_id, renewed.to_json())
        if renewed.clockwork() != kept.clockwork():
            escalations.hasten_timers(connection, escalation_id, now)
    outbox = Outbox(connection)
    for message in outbox.in_state(MessageState.BLOCKED):
        summary = message.kind is MessageKind.SUMMARY and message.payload.get("crowd") == Crowd.ROOTS
        if message.kind not in (MessageKind.ROOT, MessageKind.CALL) and not summary:
            continue
        # What one summary stands for was all meant for one channel.
        about = message.escalation_id or next(iter(outbox.members(message.id)), 0)
        if escalation := escalations.by_id(connection, about):
            channel = kept_by(connection, escalation).channel_of(message.payload.get("tier", 1))
            outbox.save(replace(message, channel=channel))


def _in_words(verdict: Verdict) -> str:
    return "; ".join(f"{reason.name}: {reason.found} (asked: {reason.asked})" for reason in verdict.reasons)
