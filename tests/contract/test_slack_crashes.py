"""Exactly one post, whatever Slack answers, wherever the process ends, and after an old backup is put back."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import StoreError
from monitor.model import Severity
from monitor.outgoing import MessageKind, MessageState
from monitor.slack.messages import Message
from monitor.store import Store
from monitor.store.clock import set_back
from tests.fakes import block_kit
from tests.fakes import slack_server as faults
from tests.fakes.bench import ALERTS, POST, Bench
from tests.fakes.power import FailingMessenger, FailingStore, PowerCut
from tests.fakes.slack_server import refused
from tests.fakes.storm import escalate_many, tiers_told

#: What the server does with the first post, and how many seconds histories lag behind.
BEHAVIOURS = {
    "accepts": ((), 0),
    "accepts, then fails": ((faults.HTTP_500_AFTER_ACCEPTING,), 0),
    "accepts, answers a fatal error": ((faults.FATAL_ERROR_AFTER_ACCEPTING,), 0),
    "accepts, then resets": ((faults.RESET_AFTER_ACCEPTING,), 0),
    "accepts, cuts its answer": ((faults.CUT_BODY,), 0),
    "accepts, answers nonsense": ((faults.GARBLED_BODY,), 0),
    "accepts, hides it at first": ((faults.HTTP_500_AFTER_ACCEPTING,), 20),
    "accepts, hides it for long": ((faults.HTTP_500_AFTER_ACCEPTING,), 80),
    "fails before accepting": ((faults.HTTP_500_BEFORE_ACCEPTING,), 0),
    "resets before accepting": ((faults.RESET_BEFORE_ACCEPTING,), 0),
    "fails twice": ((faults.HTTP_500_BEFORE_ACCEPTING, faults.HTTP_500_AFTER_ACCEPTING), 20),
    "limits the rate": ((faults.RATE_LIMITED, faults.RATE_LIMITED_WITHOUT_A_TIME), 0),
    "did not read it": ((faults.NOT_READ,), 0),
}
SLOW = {
    "is too slow, accepts": ((faults.TOO_SLOW_AFTER_ACCEPTING,), 0),
    "is too slow, does not accept": ((faults.TOO_SLOW_BEFORE_ACCEPTING,), 0),
}


CLAIM, OUTCOME = 2, 3
ENDS = {
    "before the claim is committed": (CLAIM, "before"),
    "after the claim is committed": (CLAIM, "after"),
    "before the request": "before",
    "after the request": "after",
    "before the outcome is committed": (OUTCOME, "before"),
    "after the outcome is committed": (OUTCOME, "after"),
    "never": (0, ""),
}


@pytest.mark.parametrize("ends", ENDS.values(), ids=ENDS.keys())
@pytest.mark.parametrize("script, lag", BEHAVIOURS.values(), ids=BEHAVIOURS.keys())
def test_exactly_one_post(bench: Bench, script: tuple[faults.Fault, ...], lag: float, ends: Any) -> None:
    bench.alert()
    bench.slack.script(POST, *script)
    bench.slack.history_lag = lag
    try:
        if isinstance(ends, str):
            bench.run(bench.delivery(messenger=FailingMessenger(bench.messenger(), ends)))
        else:
            bench.run(bench.delivery(store=FailingStore(bench.store, ends)))
    except PowerCut:
        pass
    bench.run(bench.delivery())
    (post,), (message,) = bench.slack.posts("brand-alerts"), bench.messages()
    assert (message.state, message.sent_ts, message.repeated) == (MessageState.SENT, post["ts"], False)


@pytest.mark.parametrize("ends", [(number, side) for number in (1, 2, 3) for side in ("before", "after")], ids=str)
@pytest.mark.parametrize("script, lag", BEHAVIOURS.values(), ids=BEHAVIOURS.keys())
def test_exactly_one_post_where_the_database_cannot_be_written_for_a_time(
    bench: Bench, script: tuple[faults.Fault, ...], lag: float, ends: tuple[int, str]
) -> None:
    """A full disk, or somebody who locks the database: the same sender goes on once that is over."""
    bench.alert()
    bench.slack.script(POST, *script)
    bench.slack.history_lag = lag
    delivery = bench.delivery(store=FailingStore(bench.store, ends, error=StoreError("the disk is full", passing=True)))
    with pytest.raises(StoreError):
        bench.run(delivery)
    bench.now += timedelta(seconds=5)
    bench.run(delivery)
    (post,), (message,) = bench.slack.posts("brand-alerts"), bench.messages()
    assert (message.state, message.sent_ts, message.repeated) == (MessageState.SENT, post["ts"], False)


def test_a_database_that_another_program_locks_delays_and_repeats_nothing(bench: Bench) -> None:
    bench.alert()
    delivery = bench.delivery()
    bench.store._writer.execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(bench.store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for _ in range(3):
        with pytest.raises(StoreError, match="locked"):
            delivery.step(bench.now)
    other.close()
    bench.run(delivery)
    assert len(bench.slack.posts("brand-alerts")) == 1 and bench.states() == [MessageState.SENT]


@pytest.mark.parametrize("hours", [-1, 1, 6])
@pytest.mark.parametrize("script", [(), (faults.HTTP_500_AFTER_ACCEPTING,), (faults.RATE_LIMITED,)], ids=str)
def test_exactly_one_post_where_the_clock_jumps_or_the_machine_slept(
    bench: Bench, script: tuple[faults.Fault, ...], hours: int
) -> None:
    """By an hour, in either direction, or by six hours of sleep; Slack's own clock goes on as ever."""
    jump, ahead = timedelta(hours=hours), [timedelta()]
    bench.slack.now = lambda: (bench.now - ahead[0]).timestamp()
    bench.alert()
    bench.alert()
    bench.slack.script(POST, *script)
    delivery = bench.delivery()
    for _ in range(2):
        delivery.step(bench.now)
    bench.now += jump
    if hours != 6:
        ahead[0] = jump
    if hours < 0:
        delivery.clock_set_back(-jump)
        with bench.store.write() as connection:
            set_back(connection, -jump, bench.now)
    bench.run(delivery, minutes=10)
    assert len(bench.slack.posts("brand-alerts")) == 2 and bench.states() == [MessageState.SENT] * 2


@pytest.mark.parametrize("script, lag", SLOW.values(), ids=SLOW.keys())
def test_exactly_one_post_where_slack(bench: Bench, script: tuple[faults.Fault, ...], lag: float) -> None:
    bench.alert()
    bench.slack.script(POST, *script)
    bench.run(bench.delivery())
    assert len(bench.slack.posts("brand-alerts")) == 1
    assert bench.states() == [MessageState.SENT]


def test_a_reply_is_looked_for_in_its_thread(bench: Bench) -> None:
    escalation = bench.alert()
    bench.enqueue(MessageKind.REPLY, escalation, payload={"text": "News"})
    bench.slack.script(POST, faults.Fault(), faults.HTTP_500_AFTER_ACCEPTING)
    bench.run(bench.delivery())
    root, reply = bench.slack.posts("brand-alerts")
    assert reply["thread_ts"] == root["ts"]
    assert bench.states() == [MessageState.SENT] * 2


def test_an_old_post_of_another_installation_is_not_taken_for_ours(bench: Bench) -> None:
    bench.messenger(install="there").post(Message("Theirs"), ALERTS, thread_ts=None, outbox_id=1)
    bench.alert()
    bench.slack.script(POST, faults.HTTP_500_BEFORE_ACCEPTING)
    bench.run(bench.delivery())
    theirs, ours = bench.slack.posts("brand-alerts")
    assert (theirs["text"], bench.messages()[0].sent_ts) == ("Theirs", ours["ts"])


def test_of_two_copies_the_newer_is_deleted(bench: Bench) -> None:
    bench.alert()
    bench.slack.script(POST, faults.HTTP_500_AFTER_ACCEPTING, faults.HTTP_500_AFTER_ACCEPTING)
    bench.slack.history_lag = 95  # longer than two reads wait
    delivery = bench.delivery()
    bench.run(delivery, minutes=1.4)
    bench.slack.history_lag = 0
    bench.run(delivery)
    (post,) = bench.slack.posts("brand-alerts")
    assert bench.slack.calls(POST) == 2
    assert bench.messages()[0].sent_ts == post["ts"]


def test_a_post_is_found_on_a_later_page_and_with_a_wrong_clock(bench: Bench) -> None:
    bench.slack.now = lambda: bench.now.timestamp() - 3600  # ours is an hour fast
    bench.alert()
    bench.slack.script(POST, faults.HTTP_500_AFTER_ACCEPTING)
    delivery = bench.delivery()
    delivery.step(bench.now)
    for number in range(7):
        bench.messenger(install="there").post(Message(f"Other {number}"), ALERTS, thread_ts=None, outbox_id=1)
    bench.run(delivery)
    assert len(bench.slack.posts("brand-alerts")) == 8
    assert bench.messages()[0].sent_ts == bench.slack.posts("brand-alerts")[0]["ts"]


@pytest.mark.parametrize("severity, posts", [(Severity.CRITICAL, 2), (Severity.HIGH, 1)])
def test_only_a_critical_message_is_repeated_where_slack_cannot_be_asked(
    bench: Bench, severity: Severity, posts: int
) -> None:
    bench.alert(severity=severity)
    bench.slack.script(POST, faults.HTTP_500_AFTER_ACCEPTING)
    bench.slack.script("conversations.history", *[refused("missing_scope")] * 20)
    bench.run(bench.delivery(), minutes=12)
    assert len(bench.slack.posts("brand-alerts")) == posts
    if severity is Severity.CRITICAL:
        assert "see this twice" in block_kit.words(bench.slack.posts("brand-alerts")[-1])
    else:
        assert "channels:history" in bench.messages()[0].error


def put_back(bench: Bench, backup: Path) -> None:
    bench.store.close()
    for suffix in ("-wal", "-shm"):
        Path(str(bench.store.path) + suffix).unlink(missing_ok=True)
    backup.replace(bench.store.path)
    bench.store = Store(bench.store.path)


def test_an_old_backup_from_before_a_storm_loses_nobody(bench: Bench, tmp_path: Path) -> None:
    """What was folded since stands nowhere in Slack by itself: some are posted one by one, a summary for the rest."""
    escalate_many(bench, 15)
    bench.store.backup(tmp_path / "old.db")
    bench.run(bench.delivery())
    put_back(bench, tmp_path / "old.db")
    bench.run(bench.delivery(), minutes=5)
    first, *again = bench.slack.posts("brand-alerts")
    assert "15 discussions at once" in block_kit.words(first) and len(again) <= 12
    assert tiers_told(bench) == 15
    assert set(bench.states()) <= {MessageState.SENT, MessageState.FOLDED}
    bench.store.close()


def test_an_old_backup_of_a_storm_says_nothing_twice(bench: Bench, tmp_path: Path) -> None:
    escalate_many(bench, 15)
    delivery = bench.delivery()
    delivery.step(bench.now)  # folds
    bench.store.backup(tmp_path / "old.db")
    bench.run(delivery)
    put_back(bench, tmp_path / "old.db")
    bench.run(bench.delivery(), minutes=5)
    assert len(bench.slack.posts("brand-alerts")) == 1 and tiers_told(bench) == 15
    bench.store.close()


def test_an_old_backup_says_nothing_twice(bench: Bench, tmp_path: Path) -> None:
    """What waited when the backup was made has been posted since: Slack is asked, and later ids are not used again."""
    bench.alert()
    bench.store.backup(tmp_path / "old.db")
    bench.run(bench.delivery())
    assert len(bench.slack.posts("brand-alerts")) == 1
    put_back(bench, tmp_path / "old.db")
    bench.run(bench.delivery(), minutes=5)
    (message,) = bench.messages()
    assert message.state is MessageState.SENT
    bench.alert()
    bench.run(bench.delivery())
    assert len(bench.slack.posts("brand-alerts")) == 2
    assert bench.messages()[-1].id > 1_000_000
    bench.store.close()
