"""Many escalations at once, of a rule with tiers, on the test bench of delivery."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from monitor.carry_out import act, carry_out
from monitor.deliver import Delivery
from monitor.escalate import Escalate
from monitor.escalation import machine
from monitor.escalation.events import Event
from monitor.model import Author, Finding, FiredRule, Post, Scope, Sentiment, Severity
from monitor.outgoing import MessageKind, MessageState, OutboxMessage
from monitor.render import Renderer
from monitor.rules.load import RuleSet
from monitor.rules.people.rota import Team
from monitor.rules.rule import TierSpec
from monitor.rules.snapshot import Snapshot
from monitor.store import escalations, mentions
from tests.fakes.bench import ALERTS, Bench

RULE = "storm"
_TEAMS = {
    "social": Team("social", ALERTS),
    "leads": Team("leads", "#fallback", user_group="S0LEADS"),
}
_FIRST = TierSpec(timedelta(), "social")
_TIMES = {
    "wait_first": timedelta(), "update_every": timedelta(minutes=1), "reopen_within": timedelta(hours=6),
    "repeat_after": timedelta(hours=4),
}  # fmt: skip
ONE_TIER = Snapshot("storm.yaml", "", ALERTS, (_FIRST,), _TEAMS, _TIMES, repeat_at_most=3, hold=False)
TWO_TIERS = Snapshot(
    "storm.yaml", "", ALERTS,
    (_FIRST, TierSpec(timedelta(minutes=15), "leads", unless_acknowledged=True, mention=True)),
    _TEAMS, _TIMES, repeat_at_most=3, hold=False,
)  # fmt: skip


def escalate_many(bench: Bench, count: int, severity: Severity = Severity.HIGH, rule: Snapshot = ONE_TIER) -> None:
    """`count` discussions in which somebody complains; each escalates at once."""
    angry = Sentiment(0.9, 0.1, 0.0, "test")
    with bench.store.write() as connection:
        first = connection.execute("SELECT count(*) FROM posts").fetchone()[0] + 1
        for number in range(first, first + count):
            text = f"Discussion {number}: down again"
            post = Post("x", f"{number}", text, bench.now, author=Author(handle="mario", followers=1200))
            saved = mentions.save(connection, post, [Finding("Acme", ("acme",), text, sentiment=angry)], bench.now)
            about = saved.added[0].discussion_id
            new = escalations.create(connection, "Acme", Scope.DISCUSSION, about, RULE, severity, bench.now)
            fired = FiredRule(RULE, "Storm", severity, (), bench.now)
            escalations.add_rule(connection, new.id, fired, rule.to_json())
            carry_out(connection, new, machine.begin(new, rule.clockwork(), bench.now), "rule storm", bench.now)


def happen(bench: Bench, escalation_id: int, event: Event) -> None:
    with bench.store.write() as connection:
        escalation = escalations.by_id(connection, escalation_id)
        assert escalation is not None
        act(connection, escalation, event, "test", bench.now)


def settle(bench: Bench) -> None:
    """All timers that are due."""
    escalate = Escalate(RuleSet(), ALERTS, [])
    fired = 1
    while fired:
        with bench.store.write() as connection:
            fired = escalate.fire_timers(connection, bench.now)


def tiers_told(bench: Bench) -> int:
    """How many escalations know that their message stands there."""
    with bench.store.read() as connection:
        row = connection.execute("SELECT count(*) FROM escalations WHERE told_at IS NOT NULL").fetchone()
    return int(row[0])


def summaries(bench: Bench) -> list[OutboxMessage]:
    return [message for message in bench.messages() if message.kind is MessageKind.SUMMARY]


def folded(bench: Bench) -> list[int | None]:
    return [message.escalation_id for message in bench.messages() if message.state is MessageState.FOLDED]


def buttons(post: dict[str, Any]) -> list[str]:
    return [str(one["value"]) for one in _elements(post.get("blocks")) if one["type"] == "button"]


def _elements(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, dict):
        mine = [node] if node.get("type") == "button" else []
        return mine + [found for value in node.values() for found in _elements(value)]
    return [found for value in node for found in _elements(value)] if isinstance(node, list) else []


def start(bench: Bench, count: int = 40, severity: Severity = Severity.HIGH) -> Delivery:
    escalate_many(bench, count, severity)
    delivery = bench.delivery(renderer=Renderer("here", buttons=True))
    bench.run(delivery, minutes=0.5)
    return delivery
