"""People act while messages are on their way: what they did is shown all the same, soon, and calls nobody in vain."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from monitor.deliver import Delivery
from monitor.escalation.events import Acknowledge, Event, Resolve
from monitor.escalation.outbox import Waiting
from monitor.model import Outcome, Severity
from monitor.outgoing import MessageKind
from monitor.render import Renderer
from monitor.slack.messages import Message
from tests.fakes import block_kit
from tests.fakes.bench import Bench
from tests.fakes.slack_server import refused
from tests.fakes.storm import TWO_TIERS, escalate_many, happen, settle, tiers_told

ANNA = Acknowledge("anna")


class Interrupted(Renderer):
    """While the first message of a kind is put together, something happens."""

    def __init__(self, kind: MessageKind, happens: Callable[[], None]) -> None:
        super().__init__("here", buttons=True)
        object.__setattr__(self, "waiting_for", {kind: happens})

    def message(self, connection: sqlite3.Connection, waiting: Waiting, now: datetime) -> Message:
        made = super().message(connection, waiting, now)
        happens: dict[MessageKind, Callable[[], None]] = object.__getattribute__(self, "waiting_for")
        happens.pop(waiting.message.kind, lambda: None)()
        return made


@pytest.mark.parametrize("kind", [MessageKind.ROOT, MessageKind.UPDATE])
def test_what_is_done_while_a_message_is_put_together_is_shown(bench: Bench, kind: MessageKind) -> None:
    escalate_many(bench, 1)
    delivery = bench.delivery(renderer=Interrupted(kind, lambda: happen(bench, 1, ANNA)))
    if kind is MessageKind.UPDATE:
        bench.enqueue(MessageKind.UPDATE, 1)
    bench.run(delivery, minutes=1)
    (post,) = bench.slack.posts("brand-alerts")
    assert "anna" in block_kit.words(post)


def test_what_is_done_while_a_summary_is_put_together_is_shown(bench: Bench) -> None:
    escalate_many(bench, 30)
    delivery = bench.delivery(renderer=Interrupted(MessageKind.SUMMARY, lambda: happen(bench, 1, ANNA)))
    bench.run(delivery, minutes=1)
    (post,) = bench.slack.posts("brand-alerts")
    assert "1 taken" in block_kit.words(post)


# -- how soon --------------------------------------------------------------------------------------------------------


def updated_after(bench: Bench, begun: datetime) -> dict[int | None, float]:
    """By escalation, how many seconds after that its message was brought up to date first."""
    found: dict[int | None, float] = {}
    for message in bench.messages():
        if message.kind is MessageKind.UPDATE and message.sent_at and message.created_at >= begun:
            found.setdefault(message.escalation_id, (message.sent_at - begun).total_seconds())
    return found


def with_messages(bench: Bench, count: int) -> Delivery:
    """Each of so many escalations has a message of its own, and its update waits."""
    delivery = bench.delivery()
    for _ in range(count):
        escalate_many(bench, 1)
        bench.run(delivery, minutes=0.1)
        bench.now += timedelta(seconds=10)
    return delivery


def test_what_a_person_did_is_shown_before_what_came_by_itself(bench: Bench) -> None:
    delivery, begun = with_messages(bench, 12), bench.now
    for id in range(1, 13):
        bench.enqueue(MessageKind.UPDATE, id, severity=Severity.CRITICAL)
    happen(bench, 12, ANNA)
    happen(bench, 7, ANNA)
    bench.run(delivery, minutes=2)
    waited = updated_after(bench, begun)
    assert max(waited[7], waited[12]) < 1 and len(waited) == 12
    assert max(waited.values()) == pytest.approx(12 * 1.5, abs=1.6)  # no more of them in all


def test_ten_people_who_click_at_once_see_it_at_once(bench: Bench) -> None:
    delivery, begun = with_messages(bench, 25), bench.now
    for id in range(1, 26):
        happen(bench, id, ANNA)
    bench.run(delivery, minutes=2)
    waited = sorted(updated_after(bench, begun).values())
    assert waited[9] < 1 and waited[-1] == pytest.approx(15 * 1.5, abs=1.6)


def test_a_click_goes_before_telling_those_of_a_storm(bench: Bench) -> None:
    escalate_many(bench, 300)
    delivery = bench.delivery()
    while not bench.slack.posts("brand-alerts"):
        delivery.step(bench.now)
    happen(bench, 300, ANNA)
    delivery.step(bench.now)
    assert "1 taken" in block_kit.words(bench.slack.posts("brand-alerts")[0])
    assert tiers_told(bench) < 300


def test_a_click_tries_an_update_again_that_was_refused(bench: Bench) -> None:
    delivery = with_messages(bench, 1)
    bench.slack.script("chat.update", refused("token_revoked"))
    bench.enqueue(MessageKind.UPDATE, 1)
    bench.run(delivery, minutes=1)
    happen(bench, 1, ANNA)
    bench.run(delivery, minutes=1)
    assert "anna" in block_kit.words(bench.slack.posts("brand-alerts")[0])


# -- what is no longer so when it is sent ----------------------------------------------------------------------------


@pytest.mark.parametrize("act", [Resolve("anna", Outcome.ANSWERED), ANNA], ids=["resolved", "taken"])
def test_a_call_that_waited_until_somebody_had_it_calls_nobody(bench: Bench, act: Event) -> None:
    escalate_many(bench, 1, rule=TWO_TIERS)
    delivery = bench.delivery()
    bench.run(delivery, minutes=0.1)
    bench.now += timedelta(minutes=15, seconds=1)
    settle(bench)  # the leads are to be called, and before that is sent somebody sees to it
    happen(bench, 1, act)
    bench.run(delivery, minutes=0.5)
    (post,) = bench.slack.posts("fallback")
    assert "S0LEADS" not in json.dumps(post) and "anna" in block_kit.words(post)


def test_a_summary_calls_nobody_for_what_has_ended(bench: Bench) -> None:
    escalate_many(bench, 30, rule=TWO_TIERS)
    delivery = bench.delivery()
    bench.run(delivery, minutes=0.5)
    bench.now += timedelta(minutes=15, seconds=1)
    settle(bench)
    for id in range(1, 31):
        happen(bench, id, Resolve("anna", Outcome.ANSWERED))
    bench.run(delivery, minutes=0.5)
    assert "S0LEADS" not in json.dumps(bench.slack.posts("fallback"))
