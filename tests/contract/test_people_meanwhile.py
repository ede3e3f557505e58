"""People act while messages are on their way: what they did is shown all the same, soon, and calls nobody in vain."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from monitor.escalation.events import Acknowledge, Event, Resolve
from monitor.escalation.outbox import Waiting
from monitor.model import Outcome
from monitor.outgoing import MessageKind, MessageState
from monitor.render import Renderer
from monitor.slack.messages import Message
from tests.fakes import block_kit
from tests.fakes.bench import Bench
from tests.fakes.storm import TWO_TIERS, escalate_many, happen

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
