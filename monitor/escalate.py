"""From new mentions, due timers and people's commands to escalations and their messages: load → decide → save.

Every method works inside the caller's transaction, so that a state change, its audit event, its timers and its
messages are committed together or not at all. Deciding is done by `rules.evaluate` and `escalation.machine`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from monitor.escalation import machine
from monitor.escalation.machine import Clockwork, Decision, Event, Reason
from monitor.model import Coverage, Escalation, FiredRule, MessageKind, Scope, Verdict
from monitor.rules import evaluate
from monitor.rules.load import RuleSet
from monitor.rules.rule import Rule, Spike, Status
from monitor.store import escalations, facts, sources
from monitor.store.mentions import Added
from monitor.store.outbox import Outbox

#: How often the rules about a whole brand are judged while mentions come in.
BRAND_EVERY = timedelta(seconds=30)
#: A reply in the thread names so many of its new mentions one by one; it counts them all.
NAMED = 50


class Escalate:
    """Applies one set of rules to `brands`. `channel` is where rules without a team go; `competitors` are watched only
    by rules that name them."""

    def __init__(
        self, rules: RuleSet, channel: str, brands: Collection[str], competitors: Collection[str] = ()
    ) -> None:
        self._rules = rules
        self._channel = channel
        self._competitors = frozenset(competitors)
        self._brands_to_judge = set(brands)
        self._brand_due: dict[str, datetime] = {}

    # -- new mentions --------------------------------------------------------------------------------------------

    def consider(
        self, connection: sqlite3.Connection, added: Sequence[Added], answered: Collection[int], now: datetime
    ) -> None:
        """Judge the discussions that got new mentions, and the brands; `answered` are discussions where one of our own
        accounts spoke."""
        by_discussion: dict[int, list[Added]] = {}
        for mention in added:
            by_discussion.setdefault(mention.discussion_id, []).append(mention)
            self._brands_to_judge.add(mention.brand)
        for discussion_id, new in by_discussion.items():
            times = {mention.mention_id: mention.at for mention in new}
            self._judge(connection, Scope.DISCUSSION, new[0].brand, discussion_id, times, now)
        for escalation in escalations.alive_of_discussions(connection, {*by_discussion, *answered}):
            decision = machine.decide(escalation, machine.NewMentions(), self._clock(connection, escalation), now)
            self._apply(connection, escalation, decision, now, "ingest")
        self._judge_brands(connection, now)

    def _judge_brands(self, connection: sqlite3.Connection, now: datetime) -> None:
        """Rules about a brand as a whole look at weeks of mentions: once in a while is enough, and none is left out."""
        for brand in sorted(self._brands_to_judge):
            if now < self._brand_due.get(brand, now):
                continue
            name = f"judged:{brand}"
            judged = facts.recall(connection, name)
            after = int(str(judged[0])) if judged else 0
            times = dict(facts.added_to_brand(connection, brand, after, now - evaluate.NEWS))
            if times:
                self._judge(connection, Scope.BRAND, brand, None, times, now)
                facts.remember(connection, name, max(times), now)
            self._brands_to_judge.discard(brand)
            self._brand_due[brand] = now + BRAND_EVERY

    def _judge(
        self,
        connection: sqlite3.Connection,
        scope: Scope,
        brand: str,
        discussion_id: int | None,
        new: Mapping[int, datetime],
        now: datetime,
    ) -> None:
        rules = [rule for rule in self._rules.rules if rule.scope is scope and self._watches(rule, brand)]
        if not rules:
            return
        since = min(evaluate.needed_since(rule, new.values(), now) for rule in rules)
        counted = facts.counted(connection, brand, discussion_id, since)
        totals = facts.totals(connection, brand, discussion_id)
        for rule in rules:
            coverage = self._coverage(connection, rule, since, now)
            verdict = evaluate.judge(rule, counted, new.keys(), totals, now, coverage)
            if verdict is None or not verdict.fires:
                continue
            if rule.status is Status.TEST:
                self._record_test(connection, rule, discussion_id, verdict, now)
                continue
            # What was resolved comes back through a new negative mention only, not through a friendly word.
            worse = any(mention.id in new and evaluate.is_negative(rule, mention) for mention in counted)
            self._fire(connection, rule, brand, discussion_id, verdict, worse, now)

    def _coverage(self, connection: sqlite3.Connection, rule: Rule, since: datetime, now: datetime) -> list[Coverage]:
        if not any(isinstance(condition, Spike) for condition in rule.alert_when_any):
            return []
        return sources.coverage(connection, since, now, rule.match.sources)

    def _watches(self, rule: Rule, brand: str) -> bool:
        if rule.status is Status.OFF:
            return False
        return brand in rule.match.brands if rule.match.brands else brand not in self._competitors

    def _record_test(
        self, connection: sqlite3.Connection, rule: Rule, discussion_id: int | None, verdict: Verdict, now: datetime
    ) -> None:
        what, since = "would have alerted", now - rule.timing.repeat_after
        if not escalations.logged_since(connection, what, f"rule {rule.id}", discussion_id, since):
            data = {"reasons": [asdict(reason) for reason in verdict.reasons]}
            why = _in_words(verdict)
            escalations.log(connection, now, f"rule {rule.id}", what, why, discussion_id=discussion_id, data=data)

    def _fire(
        self,
        connection: sqlite3.Connection,
        rule: Rule,
        brand: str,
        discussion_id: int | None,
        verdict: Verdict,
        worse: bool,
        now: datetime,
    ) -> None:
        fired = FiredRule(rule.id, rule.title.replace("{brand}", brand), rule.severity, verdict.reasons, verdict.at)
        last = escalations.latest(connection, brand, rule.scope, discussion_id, rule.id)
        clock = clockwork(rule)
        if not worse and (last is None or last.state not in machine.ALIVE):
            return
        if last is None or not (last.state in machine.ALIVE or machine.may_reopen(last, clock, now)):
            last = escalations.create(connection, brand, rule.scope, discussion_id, rule.id, rule.severity, now)
            escalations.add_rule(connection, last.id, fired, self._snapshot(rule))
            escalations.log(
                connection, now, f"rule {rule.id}", "pending", _in_words(verdict),
                escalation_id=last.id, discussion_id=discussion_id, data={"conditions": _conditions(verdict)},
            )  # fmt: skip
            self._apply(connection, last, machine.begin(last, clock, now), now, f"rule {rule.id}")
            return
        added = escalations.add_rule(connection, last.id, fired, self._snapshot(rule))
        event = machine.Fired(rule.id, rule.severity, added)
        decision = machine.decide(last, event, clock, now)
        self._apply(connection, last, decision, now, f"rule {rule.id}")
        if rule.scope is Scope.BRAND and decision.reason is Reason.NOTHING_NEW:
            self._apply(connection, last, machine.decide(last, machine.NewMentions(), clock, now), now, "ingest")

    # -- timers and people ---------------------------------------------------------------------------------------

    def fire_timers(self, connection: sqlite3.Connection, now: datetime) -> int:
        """Act on the timers that are due; return how many there were."""
        self._judge_brands(connection, now)
        due = escalations.due_timers(connection, now)
        for timer in due:
            escalation = escalations.by_id(connection, timer.escalation_id)
            if escalation is None or not escalations.take_timer(connection, timer):
                continue
            holds = timer.kind is not machine.TimerKind.WAIT_FIRST or self._still_holds(connection, escalation, now)
            event = machine.TimerDue(timer.kind, timer.generation, holds)
            decision = machine.decide(escalation, event, self._clock(connection, escalation), now)
            self._apply(connection, escalation, decision, now, f"timer {timer.kind}")
        return len(due)

    def act(
        self, connection: sqlite3.Connection, escalation: Escalation, event: Event, who: str, now: datetime
    ) -> Decision:
        """Apply what a person did."""
        decision = machine.decide(escalation, event, self._clock(connection, escalation), now)
        self._apply(connection, escalation, decision, now, who)
        return decision

    def _still_holds(self, connection: sqlite3.Connection, escalation: Escalation, now: datetime) -> bool:
        """Whether any of its rules fires on what is stored now: a correction, an edit or a new rule may have ended it.

        A rule whose file is gone is taken to hold: people rather hear of it once too often.
        """
        current = {rule.id: rule for rule in self._rules.rules}
        for fired in escalations.fired_rules(connection, escalation.id):
            rule = current.get(fired.rule_id)
            if rule is None:
                return True
            if rule.status is not Status.LIVE:
                continue
            since = fired.at - evaluate.horizon(rule)
            counted = facts.counted(connection, escalation.brand, escalation.discussion_id, since)
            totals = facts.totals(connection, escalation.brand, escalation.discussion_id)
            coverage = self._coverage(connection, rule, since, now)
            if evaluate.evaluate(rule, counted, totals, fired.at, coverage).fires:
                return True
        return False

    # -- saving a decision ---------------------------------------------------------------------------------------

    def _apply(
        self, connection: sqlite3.Connection, before: Escalation, decision: Decision, now: datetime, who: str
    ) -> None:
        after = decision.escalation
        if after != before:
            escalations.save(connection, after)
            what = str(after.state) if after.state is not before.state else "changed"
            escalations.log(
                connection, now, who, what, decision.reason,
                escalation_id=after.id, discussion_id=after.discussion_id,
                data={"from": before.state, "severity": after.severity, "tier": after.tier, "note": after.note},
            )  # fmt: skip
        for effect in decision.effects:
            match effect:
                case machine.StopTimers():
                    escalations.stop_timers(connection, after.id)
                case machine.StartTimer():
                    escalations.start_timer(connection, after, effect.kind, effect.due_at)
                case machine.SendRoot():
                    notify = escalations.snapshot(connection, after).get("notify", [])
                    payload = {"up_to": self._latest(connection, after), "notify": notify}
                    self._send(connection, after, MessageKind.ROOT, payload, now)
                case machine.SendUpdate():
                    self._send(connection, after, MessageKind.UPDATE, {}, now)
                case machine.SendReply():
                    self._reply(connection, after, effect.text, now)

    def _reply(self, connection: sqlite3.Connection, escalation: Escalation, text: str, now: datetime) -> None:
        ids: tuple[int, ...] = ()
        told = escalations.last_told(connection, escalation.id)
        if escalation.discussion_id is not None:
            ids = escalations.mentions_after(connection, escalation.discussion_id, told)
        if text or ids:
            payload = {"text": text, "mention_ids": ids[-NAMED:], "new": len(ids), "up_to": max(ids, default=told)}
            self._send(connection, escalation, MessageKind.REPLY, payload, now)

    def _send(
        self,
        connection: sqlite3.Connection,
        escalation: Escalation,
        kind: MessageKind,
        payload: Mapping[str, object],
        now: datetime,
    ) -> None:
        outbox = Outbox(connection)
        root = outbox.root_of(escalation.id)
        channel = root.channel if root else escalations.snapshot(connection, escalation).get("channel", self._channel)
        outbox.enqueue(
            kind=kind, channel=channel, severity=escalation.severity, escalation_id=escalation.id, tier=escalation.tier,
            payload=payload, now=now,
        )  # fmt: skip

    def _latest(self, connection: sqlite3.Connection, escalation: Escalation) -> int:
        if escalation.discussion_id is None:
            return 0
        return escalations.latest_mention(connection, escalation.discussion_id)

    def _snapshot(self, rule: Rule) -> dict[str, object]:
        guideline = self._rules.guidelines.get(rule.playbook) if rule.playbook else None
        first = rule.escalate[0] if rule.escalate else None
        team = self._rules.teams.get(first.team) if first else None
        called = (team.user_group,) if team and team.user_group else team.members if team else ()
        clock = clockwork(rule)
        return {
            "file": rule.file,
            "text": rule.source_text,
            "team": team.id if team else None,
            "channel": team.channel if team else self._channel,
            "notify": list(called) if first and first.mention else [],
            "clock": {name: value.total_seconds() for name, value in asdict(clock).items() if value is not None},
            "guideline": asdict(guideline) if guideline else None,
        }

    def _clock(self, connection: sqlite3.Connection, escalation: Escalation) -> Clockwork:
        seconds = escalations.snapshot(connection, escalation)["clock"]
        return Clockwork(**{name: timedelta(seconds=value) for name, value in seconds.items()})


def clockwork(rule: Rule) -> Clockwork:
    """The times of `rule` that the state machine needs."""
    timing = rule.timing
    reopen_after = rule.acknowledged.reopen_after if rule.acknowledged else None
    return Clockwork(timing.wait_first, timing.update_every, timing.reopen_within, reopen_after)


def _in_words(verdict: Verdict) -> str:
    return "; ".join(f"{reason.name}: {reason.found} (asked: {reason.asked})" for reason in verdict.reasons)


def _conditions(verdict: Verdict) -> list[dict[str, object]]:
    return [asdict(condition) for condition in verdict.conditions]
