"""kill -9 in a storm, at every commit and every request: one message each, and no escalation is forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from monitor.escalation.events import Acknowledge
from monitor.model import Scope, Severity
from monitor.outgoing import MessageKind, MessageState
from monitor.slack.messages import Delivered, Message
from monitor.store import escalations
from monitor.store.outbox import Outbox
from tests.fakes import block_kit
from tests.fakes import slack_server as faults
from tests.fakes.bench import ALERTS, NOON, POST, Bench
from tests.fakes.power import FailingMessenger, FailingStore, PowerCut
from tests.fakes.storm import TWO_TIERS, escalate_many, happen, settle, tiers_told

#: What the server does with the first post, and how many seconds histories lag behind.
BEHAVIOURS = {
    "accepts": ((), 0),
    "accepts, then fails": ((faults.HTTP_500_AFTER_ACCEPTING,), 0),
    "accepts, hides it at first": ((faults.CUT_BODY,), 20),
    "fails before accepting": ((faults.HTTP_500_BEFORE_ACCEPTING,), 0),
    "limits the rate": ((faults.RATE_LIMITED,), 0),
}
#: Start, fold, claim, outcome, told; then for the update claim and outcome; nothing follows.
TRANSACTIONS = range(1, 9)
COMMITS = [(number, side) for number in TRANSACTIONS for side in ("before", "after")]


def run_and_die(bench: Bench, ends: Any) -> None:
    try:
        if isinstance(ends, FailingMessenger):
            bench.run(bench.delivery(messenger=ends))
        else:
            bench.run(bench.delivery(store=FailingStore(bench.store, ends)))
    except PowerCut:
        pass
    bench.run(bench.delivery())


def assert_one_summary(bench: Bench, channel: str, members: int, words: str) -> None:
    posts = [post for post in bench.slack.posts(channel) if not post.get("thread_ts")]
    (post,) = [post for post in posts if words in block_kit.words(post)]
    (summary,) = [m for m in bench.messages() if m.kind is MessageKind.SUMMARY and m.sent_ts == post["ts"]]
    with bench.store.read() as connection:
        assert len(Outbox(connection).members(summary.id)) == members
    assert not [m for m in bench.messages() if m.state not in (MessageState.SENT, MessageState.FOLDED)]


@pytest.mark.parametrize("ends", COMMITS, ids=lambda ends: f"{ends[1]} commit {ends[0]}")
@pytest.mark.parametrize("script, lag", BEHAVIOURS.values(), ids=BEHAVIOURS.keys())
def test_one_summary_wherever_a_commit_is_cut_off(
    bench: Bench, script: tuple[faults.Fault, ...], lag: float, ends: tuple[int, str]
) -> None:
    escalate_many(bench, 15)
    bench.slack.script(POST, *script)
    bench.slack.history_lag = lag
    run_and_die(bench, ends)
    assert_one_summary(bench, "brand-alerts", 15, "15 discussions at once")
    assert tiers_told(bench) == 15 and len(bench.slack.posts("brand-alerts")) == 1


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("script, lag", BEHAVIOURS.values(), ids=BEHAVIOURS.keys())
def test_one_summary_wherever_its_request_is_cut_off(
    bench: Bench, script: tuple[faults.Fault, ...], lag: float, side: str
) -> None:
    escalate_many(bench, 15)
    bench.slack.script(POST, *script)
    bench.slack.history_lag = lag
    run_and_die(bench, FailingMessenger(bench.messenger(), side))
    assert_one_summary(bench, "brand-alerts", 15, "15 discussions at once")
    assert tiers_told(bench) == 15 and len(bench.slack.posts("brand-alerts")) == 1


@pytest.mark.parametrize("ends", [*COMMITS, "before", "after"], ids=str)
def test_a_summary_that_takes_in_more_shows_all_of_them(bench: Bench, ends: Any) -> None:
    escalate_many(bench, 15)
    bench.run(bench.delivery(), minutes=0.2)
    escalate_many(bench, 15)
    happen(bench, 1, Acknowledge("anna"))
    cut = FailingMessenger(bench.messenger(), ends, at_updates=True) if isinstance(ends, str) else ends
    run_and_die(bench, cut)
    assert_one_summary(bench, "brand-alerts", 30, "30 discussions at once")
    assert tiers_told(bench) == 30
    assert "29 open" in block_kit.words(bench.slack.posts("brand-alerts")[0])


@pytest.mark.parametrize("ends", [*COMMITS, "before", "after"], ids=str)
def test_calls_of_a_storm_are_one_message_a_channel(bench: Bench, ends: Any) -> None:
    escalate_many(bench, 15, rule=TWO_TIERS)
    bench.run(bench.delivery(), minutes=1)
    bench.now += timedelta(minutes=16)
    settle(bench)
    cut = FailingMessenger(bench.messenger(), ends) if isinstance(ends, str) else ends
    run_and_die(bench, cut)
    assert_one_summary(bench, "fallback", 15, "⏰ 15 discussions that nobody has taken")
    assert_one_summary(bench, "brand-alerts", 15, "⏰ 15 discussions that nobody has taken")
    assert (len(bench.slack.posts("fallback")), len(bench.slack.posts("brand-alerts"))) == (1, 2)


@pytest.mark.parametrize("ends", COMMITS[:10], ids=str)
def test_what_is_taken_out_of_a_summary_is_posted_once(bench: Bench, ends: tuple[int, str]) -> None:
    escalate_many(bench, 15)
    bench.run(bench.delivery(), minutes=1)
    with bench.store.write() as connection:
        Outbox(connection).unfold(7, bench.now)
    run_and_die(bench, ends)
    first, own = bench.slack.posts("brand-alerts")
    assert "14 discussions at once" in block_kit.words(first) and "Discussion 7" in block_kit.words(own)


def test_ten_thousand_at_once(bench: Bench) -> None:
    """A bounded number of posts, the critical ones first, and every single escalation is told."""
    with bench.store.write() as connection:
        for number in range(10_000):
            severity = Severity.CRITICAL if number % 2_500 == 1_234 else Severity.HIGH
            id = escalations.create(connection, "Acme", Scope.BRAND, None, f"rule-{number}", severity, NOON).id
            Outbox(connection).enqueue(
                kind=MessageKind.ROOT, channel=ALERTS, severity=severity, escalation_id=id, now=NOON
            )
        connection.execute("UPDATE escalations SET state = 'open', tier = 1, opened_at = created_at")
    sent: list[tuple[float, str, Message]] = []
    delivery = bench.delivery(messenger=Noted(bench, sent))
    bench.run(delivery, minutes=5)
    assert [kind for _, kind, _ in sent] == ["post"] * 5
    assert [message.tone for _, _, message in sent] == ["critical"] * 4 + ["high"]
    assert [round(at, 1) for at, _, _ in sent] == [0, 1, 2, 3, 4]
    assert "9,996 discussions at once" in sent[-1][2].text
    assert tiers_told(bench) == 10_000
    with bench.store.read() as connection:
        assert Outbox(connection).counts() == {MessageState.FOLDED: 9_996, MessageState.SENT: 5}


class Noted:
    """A channel that takes everything at once."""

    server_time = None

    def __init__(self, bench: Bench, sent: list[tuple[float, str, Message]]) -> None:
        self._bench, self._sent = bench, sent

    def _note(self, what: str, message: Message) -> None:
        self._sent.append(((self._bench.now - NOON).total_seconds(), what, message))

    def post(self, message: Message, channel: str, *, thread_ts: str | None, outbox_id: int) -> Delivered:
        self._note("post", message)
        return Delivered(channel, str(outbox_id))

    def update(self, message: Message, channel: str, ts: str) -> Delivered:
        self._note("update", message)
        return Delivered(channel, ts)

    def find(self, channel: str, **names: Any) -> Delivered | None:
        return None
